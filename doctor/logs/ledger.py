"""The claim ledger of a log: every claim it could be asked to carry, and whether it can."""

from collections.abc import Iterator, Mapping

from cinelex.doctor.logs.course import course_entries
from cinelex.doctor.logs.entry import VERDICTS, Entry, Question
from cinelex.doctor.logs.held_out import held_out_entries
from cinelex.doctor.logs.latent import derived_norms, latent_entries
from cinelex.doctor.logs.metric import Log, Metric
from cinelex.doctor.logs.names import is_learning_rate, without_nulls
from cinelex.doctor.logs.relations import same_numbers
from cinelex.doctor.logs.schedule_fit import schedule_entries
from cinelex.doctor.logs.sweep_entries import table_entries

_FEWEST = 4


def ledger(log: Log) -> list[Entry]:
    """Return all entries: contradicted claims first, then those that cannot be tested."""
    entries = [entry for run in log.run_names for entry in _entries_of_run(run, log.of_run(run))]
    if log.runs:
        entries += table_entries(log.runs)
    return sorted(entries, key=lambda entry: VERDICTS.index(entry.verdict))


def _entries_of_run(run: str, metrics: Mapping[str, Metric]) -> Iterator[Entry]:
    yield from held_out_entries(run, metrics)
    yield from latent_entries(run, metrics)
    own = without_nulls(metrics)
    for metric in own.values():
        if len(metric.values) < _FEWEST or _constant(metric):
            continue
        if is_learning_rate(metric.name):
            yield from schedule_entries(metric)
        else:
            yield from course_entries(metric)
    derived = derived_norms(metrics)
    moving = [m for m in own.values() if not _constant(m) and m.name not in derived]
    for same in same_numbers(moving):
        yield Question(
            run=run,
            metric=" and ".join(same.names),
            claim="they are two pieces of evidence",
            window="all common steps",
            estimator="correlation of first differences",
            null="0 for unrelated metrics",
        ).answer(
            "contradicted",
            f"{same.formula}, with 1 - R² of {same.agreement:.1g}: one number under two names.",
            value=1 - same.agreement,
        )


def _constant(metric: Metric) -> bool:
    return bool((metric.values == metric.values[0]).all())
