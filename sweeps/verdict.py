"""Whether the winner is better than the default recipe, and how much of that is luck."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, stdtrit

from cinelex.sweeps.objectives import Score
from cinelex.sweeps.outcomes import Outcome
from cinelex.sweeps.plan import Metric


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Winner and default recipe at the same new seeds, on studies that chose nothing."""

    metric: Metric
    seeds: Sequence[int]
    winner: Sequence[Score]
    """At each seed."""
    default: Sequence[Score]
    difference: float
    """Mean over seeds of winner minus default."""
    low: float | None
    """Lower end of the 95 % Student interval of the paired difference; None with one seed."""
    high: float | None
    spread: float | None
    """Standard deviation of a run over seeds, pooled over both recipes; None with one seed."""

    @property
    def clear(self) -> bool | None:
        """Return whether the winner is better beyond the noise of seeds; None if nobody can say."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 if self.metric.goal == "maximize" else self.high < 0


def compare(final: Sequence[Outcome], metric: Metric) -> Comparison | None:
    """Return winner minus default, paired by seed; None before any pair is complete.

    Seeds decide initial weights and the order of the data, so a pair shares both. The interval is
    over seeds: Student's, with one degree of freedom less than there are pairs.
    """
    scores = {
        (one.recipe, one.seed): one.scores[metric.name] for one in final if one.state == "complete"
    }
    seeds = sorted(
        seed
        for recipe, seed in scores
        if recipe == "winner" and seed is not None and ("default", seed) in scores
    )
    if not seeds:
        return None
    winner = [scores["winner", seed] for seed in seeds]
    default = [scores["default", seed] for seed in seeds]
    pairs = zip(winner, default, strict=True)
    differences = [one.value - other.value for one, other in pairs]
    low, high = student_interval(differences)
    both = [[score.value for score in scores] for scores in (winner, default)]
    return Comparison(
        metric=metric,
        seeds=seeds,
        winner=winner,
        default=default,
        difference=statistics.fmean(differences),
        low=low,
        high=high,
        spread=pooled_deviation(both),
    )


def student_interval(
    values: Sequence[float], *, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """Return Student's interval of a mean; None for both ends with fewer than two values.

    Source: Student 1908, Biometrika 6(1).
    """
    if len(values) < 2:
        return None, None
    middle = statistics.fmean(values)
    error = statistics.stdev(values) / len(values) ** 0.5
    reach = error * float(stdtrit(len(values) - 1, (1 + confidence) / 2))
    return middle - reach, middle + reach


def pooled_deviation(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation within groups; None where no group has two values."""
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < 1:
        return None
    squares = sum((x - statistics.fmean(group)) ** 2 for group in groups for x in group)
    return float((squares / freedom) ** 0.5)


@cache
def luck_of_the_best(count: int) -> float:
    """Return how far the best of ``count`` equal configurations stands above their mean.

    In standard deviations of a normally distributed score: the expected greatest of ``count``
    draws. A search over configurations that do not differ finds a winner this much better than
    the default, on the studies that it chose by.

    Source: David and Nagaraja 2003, Order Statistics, section 3.1.
    """
    x = np.linspace(-12.0, 12.0, 24001)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(x * count * density * ndtr(x) ** (count - 1), x))


def not_distinct(found: Sequence[Outcome], leader: Outcome, metric: Metric) -> list[Outcome]:
    """Return the complete configurations whose 95 % interval holds the leader's score.

    Nobody can tell them from the leader by the studies that it was chosen on.
    """
    mark = leader.scores[metric.name].value
    near = []
    for one in found:
        if one is leader or one.state != "complete":
            continue
        score = one.scores[metric.name]
        if score.low is not None and score.high is not None and score.low <= mark <= score.high:
            near.append(one)
    return near
