"""What a table of runs can say: one row a run, nothing over time."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from cinelex.doctor.logs.entry import Entry, Question, Verdict, number
from cinelex.doctor.logs.metric import RunRow
from cinelex.doctor.logs.names import direction, held_out
from cinelex.metrics.equal_factor import equal_factor, written

_FEWEST = 6
_SIGNIFICANT = 0.05


def table_entries(runs: Sequence[RunRow]) -> Iterator[Entry]:
    """Yield what is claimed from tables of runs: which is best, what matters, what was measured."""
    names = list(dict.fromkeys(name for run in runs for name in run.numbers))
    results = [name for name in names if direction(name) and _varies(runs, name)]
    for name in results:
        yield _best(runs, name)
    settings = [name for name in names if not direction(name) and _varies(runs, name)]
    yield from _influences(runs, settings, results)
    yield from _equal_factors(runs, results)


def _best(runs: Sequence[RunRow], name: str) -> Entry:
    ranked = sorted(
        (run for run in runs if name in run.numbers),
        key=lambda run: -direction(name) * run.numbers[name],
    )
    first, second = ranked[0], ranked[1]
    unseen = "" if held_out(name) else " It was not measured on held-out data."
    return Question(
        run=f"{len(ranked)} runs",
        metric=name,
        claim=f"{first.run} is better than the others",
        window="last value of each run",
        estimator="best minus second",
        null="unknown: the spread between seeds",
    ).answer(
        "not testable",
        f"{number(first.numbers[name])} against {number(second.numbers[name])} of "
        f"{second.run}; one run of each says nothing of the spread between seeds.{unseen}",
        value=first.numbers[name] - second.numbers[name],
    )


def _influences(
    runs: Sequence[RunRow], settings: Sequence[str], results: Sequence[str]
) -> Iterator[Entry]:
    """Yield, for each setting and result, whether they rank the runs alike."""
    found = []
    for setting in settings:
        for result in results:
            pairs = [
                (run.numbers[setting], run.numbers[result])
                for run in runs
                if {setting, result} <= run.numbers.keys()
            ]
            if len(pairs) >= _FEWEST and np.ptp(np.array(pairs), axis=0).all():
                test = stats.spearmanr(*zip(*pairs, strict=True))
                found.append((setting, result, len(pairs), test.statistic, test.pvalue))
    adjusted = stats.false_discovery_control([row[4] for row in found]) if found else []
    for (setting, result, count, rho, _), q_value in zip(found, adjusted, strict=True):
        verdict: Verdict = "supported" if q_value < _SIGNIFICANT else "not testable"
        yield Question(
            run=f"{count} runs",
            metric=result,
            claim=f"moves with {setting}",
            window="last value of each run",
            estimator="Spearman's rank correlation, Benjamini-Hochberg over all pairs",
            null="0: the setting does not order the runs",
        ).answer(
            verdict,
            f"Spearman's rho {rho:.2f}, adjusted p {q_value:.2g} over {len(found)} pairs.",
            value=float(rho),
        )


def _equal_factors(runs: Sequence[RunRow], results: Sequence[str]) -> Iterator[Entry]:
    numbers = [{k: written(run.numbers[k]) for k in results if k in run.numbers} for run in runs]
    for i, first in enumerate(numbers):
        for j in range(i + 1, len(numbers)):
            found = equal_factor(first, numbers[j])
            if found is None:
                continue
            yield Question(
                run=f"{runs[i].run} and {runs[j].run}",
                metric=", ".join(found.names),
                claim="both runs were measured",
                window="last value of each run",
                estimator="relative change of each metric",
                null=f"independent changes agree so well with p {found.p_value:.1g}",
            ).answer(
                "contradicted",
                f"All {len(found.names)} metrics differ by the same "
                f"{found.change:.2%}: one was computed from the other.",
                value=found.change,
            )


def _varies(runs: Sequence[RunRow], name: str) -> bool:
    return len({run.numbers[name] for run in runs if name in run.numbers}) > 1
