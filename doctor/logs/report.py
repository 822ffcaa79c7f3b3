"""What is written about a log: two pictures, the ledger, the findings in words, and a page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cinelex.core.files import write_json
from cinelex.doctor.logs.entry import VERDICTS, Entry, number
from cinelex.doctor.logs.ledger import ledger
from cinelex.doctor.logs.metric import Log
from cinelex.doctor.logs.names import chance_of, without_nulls
from cinelex.doctor.logs.overview import draw_overview
from cinelex.doctor.logs.relations import correlations
from cinelex.doctor.logs.trend_page import draw_trends
from cinelex.doctor.templates import write_page
from cinelex.metrics.series.level import level_change

_DECISIVE = ("generalises", "collapsed", "better than chance", "is better than")
"""Claims that belong to the key findings even where nothing can be said about them."""
_MAX_FINDINGS = 14
_MAX_PAIRS = 20
_SIGNIFICANT = 0.05


def write_log_report(log: Log, folder: Path, *, title: str) -> list[Entry]:
    """Write all files about a log into a folder and return its claims.

    ``overview.png`` and ``trend.png`` need metrics over steps; ``report.md``, ``key_findings.txt``,
    ``report.html`` and ``ledger.json`` are always written. The page holds its pictures itself.

    Raises:
        OSError: The folder cannot be written to.
    """
    entries = ledger(log)
    counted = Counter(entry.verdict for entry in entries)
    owns = {run: without_nulls(log.of_run(run)) for run in log.run_names}
    tested = [(run, pair) for run in owns for pair in correlations([*owns[run].values()]).pairs]
    together = [(run, pair) for run, pair in tested if pair.adjusted_p < _SIGNIFICANT]
    pictures = {}
    if log.metrics:
        overview = draw_overview(log, folder / "overview.png")
        pictures = {"overview": overview, "trend": draw_trends(log, folder / "trend.png")}
    for name in ("report.md", "key_findings.txt", "report.html"):
        write_page(
            folder / name,
            f"logs/{name}.jinja",
            title=title,
            log=log,
            entries=entries,
            findings=key_findings(entries),
            counts=[(verdict, counted[verdict]) for verdict in VERDICTS],
            rows=[
                (metric, level_change(metric.values), chance_of(metric.name, log.of_run(run)))
                for run, own in owns.items()
                for metric in own.values()
            ],
            pairs=sorted(together, key=lambda row: -abs(row[1].value))[:_MAX_PAIRS],
            tested_pairs=len(tested),
            pictures=pictures,
            number=number,
        )
    write_json(folder / "ledger.json", [entry.as_json() for entry in entries])
    return entries


def key_findings(entries: Sequence[Entry]) -> list[Entry]:
    """Return what somebody should read first: what is contradicted, and what cannot be known.

    Decisive claims (generalisation, collapse, chance) come before the rest of their verdict; a
    claim that several metrics of a run cannot decide is said once.
    """
    decisive = _said_once([entry for entry in entries if _is_decisive(entry)])
    wrong = [e for e in entries if e.verdict == "contradicted" and not _is_decisive(e)]
    return [*decisive, *wrong][:_MAX_FINDINGS]


def _said_once(entries: Sequence[Entry]) -> list[Entry]:
    """Join untestable claims that are alike into the first of them."""
    alike: dict[object, list[Entry]] = {}
    for index, entry in enumerate(entries):
        undecided = entry.verdict == "not testable"
        key = (entry.question.run, entry.question.claim) if undecided else index
        alike.setdefault(key, []).append(entry)
    return [_joined(several) for several in alike.values()]


def _joined(entries: Sequence[Entry]) -> Entry:
    first, others = entries[0], len(entries) - 1
    if not others:
        return first
    metric = f"{first.question.metric} and {others} more"
    return replace(first, question=replace(first.question, metric=metric))


def _is_decisive(entry: Entry) -> bool:
    return any(words in entry.question.claim for words in _DECISIVE)
