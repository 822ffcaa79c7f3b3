"""What a log is, whatever file it came from: metrics over steps, or one row a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cinelex.metrics.series import Points


@dataclass(frozen=True)
class Metric:
    """One metric of one run over its steps; steps rise, and every value is finite."""

    run: str
    name: str
    steps: Points
    values: Points
    low: Points | None = None
    """Least value of the bucket that each point stands for, where the export has it."""
    high: Points | None = None
    """Greatest value of the bucket."""
    source: str = ""
    """Name of the file that it came from."""
    broken: int = 0
    """Values that were NaN or infinite in the file and are left out here."""

    def __post_init__(self) -> None:
        """Hold what the annotations promise."""
        assert len(self.steps) == len(self.values)
        assert np.isfinite(self.values).all()
        assert (np.diff(self.steps) > 0).all()

    @property
    def bucketed(self) -> bool:
        """Whether points are averages over several steps, by the export's own MIN and MAX."""
        if self.low is None or self.high is None:
            return False
        return bool((self.high > self.low).any())


@dataclass(frozen=True)
class RunRow:
    """One run of a runs table: its final numbers and what it was started with."""

    run: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Log:
    """Everything that was read."""

    metrics: tuple[Metric, ...] = ()
    runs: tuple[RunRow, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What was left out or had to be guessed while reading, one sentence each."""

    def of_run(self, run: str) -> dict[str, Metric]:
        """Return one run's metrics by name."""
        return {metric.name: metric for metric in self.metrics if metric.run == run}

    @property
    def run_names(self) -> list[str]:
        """Runs that have metrics over steps, in the order of the files."""
        return list(dict.fromkeys(metric.run for metric in self.metrics))


def make_metric(
    run: str,
    name: str,
    steps: Points,
    values: Points,
    *,
    source: str,
    low: Points | None = None,
    high: Points | None = None,
) -> Metric | None:
    """Return a metric from raw columns; None if no value is finite.

    Rows without a value are dropped; NaN that the file spells out and infinite values are dropped
    and counted, so blanks must come as NaN in ``steps``. Of two rows at one step the later counts.
    """
    logged = np.isfinite(steps)
    finite = logged & np.isfinite(values)
    if not finite.any():
        return None
    rows = np.flatnonzero(finite)
    # np.unique keeps the first of equal steps, so the file is read from its end
    kept = rows[::-1][np.unique(steps[rows][::-1], return_index=True)[1]]
    return Metric(
        run,
        name,
        steps[kept],
        values[kept],
        None if low is None else np.where(np.isfinite(low[kept]), low[kept], values[kept]),
        None if high is None else np.where(np.isfinite(high[kept]), high[kept], values[kept]),
        source,
        int((logged & ~np.isfinite(values)).sum()),
    )


def make_metrics(
    run: str, columns: Mapping[str, Iterable[tuple[float, float]]], *, source: str
) -> tuple[Metric, ...]:
    """Return a metric for each column of steps and values that holds a finite one."""
    found = (
        make_metric(run, name, *np.array([*points], dtype=np.float64).T, source=source)
        for name, points in columns.items()
    )
    return tuple(metric for metric in found if metric is not None)


def merge(logs: Iterable[Log]) -> Log:
    """Join what several files say; where two have the same metric, the longer one counts."""
    metrics: dict[tuple[str, str], Metric] = {}
    runs: list[RunRow] = []
    notes: list[str] = []
    for log in logs:
        notes += log.notes
        runs += log.runs
        for metric in log.metrics:
            key = (metric.run, metric.name)
            known = metrics.get(key)
            if known is not None:
                notes.append(
                    f"{metric.name} of {metric.run} stands in {known.source} "
                    f"({len(known.values)} points) and in {metric.source} ({len(metric.values)}); "
                    "the longer one was used."
                )
            if known is None or len(metric.values) > len(known.values):
                metrics[key] = metric
    return Log(tuple(metrics.values()), tuple(runs), tuple(dict.fromkeys(notes)))
