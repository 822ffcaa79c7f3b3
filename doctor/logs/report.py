"""What is written about a log: two pictures, the ledger, the findings in words, and a page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cinelex.core.files import write_json, write_whole
from cinelex.doctor.logs.entry import VERDICTS, Entry, number
from cinelex.doctor.logs.ledger import ledger
from cinelex.doctor.logs.level import level_change
from cinelex.doctor.logs.metric import Log, Metric
from cinelex.doctor.logs.nulls import chance_of, without_nulls
from cinelex.doctor.logs.overview import draw_overview
from cinelex.doctor.logs.relations import Correlation, correlations
from cinelex.doctor.logs.trend_page import draw_trends
from cinelex.doctor.report.examples import png_address
from cinelex.doctor.templates import environment

_DECISIVE = ("generalises", "collapsed", "better than chance", "is better than")
"""Claims that belong to the key findings even where nothing can be said about them."""
_MAX_FINDINGS = 14
_MAX_PAIRS = 20
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class MetricRow:
    """One metric of the summary table, as text."""

    run: str
    name: str
    points: str
    first: str
    last: str
    change: str
    interval: str
    chance: str
    """What knowing nothing scores, where the log says so."""


@dataclass(frozen=True)
class LogReport:
    """What the report says, ready for any template."""

    title: str
    log: Log
    entries: Sequence[Entry]
    findings: Sequence[Entry]
    counts: Sequence[tuple[str, int]]
    """How often each verdict was given, in the order of the ledger."""
    rows: Sequence[MetricRow]
    pairs: Sequence[tuple[str, Correlation]]
    """Run and pair, for the pairs that move together, strongest first."""
    tested_pairs: int


def write_log_report(log: Log, folder: Path, *, title: str) -> LogReport:
    """Write all files about a log into a folder and return what they say.

    ``overview.png`` and ``trend.png`` need metrics over steps; ``report.md``, ``key_findings.txt``,
    ``report.html`` and ``ledger.json`` are always written. The page holds its pictures itself.

    Raises:
        OSError: The folder cannot be written to.
    """
    report = _collect(log, title)
    pictures = {}
    if log.metrics:
        draw_overview(log, folder / "overview.png")
        draw_trends(log, folder / "trend.png")
        pictures = {name: png_address(folder, f"{name}.png") for name in ("overview", "trend")}
    for template, name in (
        ("logs/report.md.jinja", "report.md"),
        ("logs/key_findings.txt.jinja", "key_findings.txt"),
        ("logs/report.html.jinja", "report.html"),
    ):
        page = environment().get_template(template)
        write_whole(folder / name, page.render(report=report, pictures=pictures, number=number))
    write_json(folder / "ledger.json", [entry.as_json() for entry in report.entries])
    return report


def _collect(log: Log, title: str) -> LogReport:
    entries = ledger(log)
    counted = Counter(entry.verdict for entry in entries)
    tested = [
        (run, pair)
        for run in log.run_names
        for pair in correlations([*without_nulls(log.of_run(run)).values()]).pairs
    ]
    pairs = sorted(
        (row for row in tested if row[1].adjusted_p < _SIGNIFICANT),
        key=lambda row: -abs(row[1].value),
    )
    return LogReport(
        title,
        log,
        entries,
        key_findings(entries),
        [(verdict, counted[verdict]) for verdict in VERDICTS],
        [
            _row(metric, chance_of(name, log.of_run(run)))
            for run in log.run_names
            for name, metric in without_nulls(log.of_run(run)).items()
        ],
        pairs[:_MAX_PAIRS],
        len(tested),
    )


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
    for place, entry in enumerate(entries):
        undecided = entry.verdict == "not testable"
        alike.setdefault(
            (entry.question.run, entry.question.claim) if undecided else place, []
        ).append(entry)
    return [_joined(several) for several in alike.values()]


def _joined(entries: Sequence[Entry]) -> Entry:
    first, others = entries[0], len(entries) - 1
    if not others:
        return first
    metric = f"{first.question.metric} and {others} more"
    return replace(first, question=replace(first.question, metric=metric))


def _is_decisive(entry: Entry) -> bool:
    return any(words in entry.question.claim for words in _DECISIVE)


def _row(metric: Metric, chance: Metric | None) -> MetricRow:
    change = level_change(metric.values)
    interval = "–"
    if change.testable:
        interval = " to ".join(number(bound) for bound in change.interval)
    return MetricRow(
        metric.run,
        metric.name,
        str(len(metric.values)),
        number(change.first.value),
        number(change.last.value),
        number(change.value),
        interval,
        "–" if chance is None else number(chance.values[-1]),
    )
