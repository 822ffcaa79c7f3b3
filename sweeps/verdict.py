"""Whether the winner is better than the default recipe, and how much of that is chance."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr

from cinelex.sweeps.outcomes import Outcome, complete
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.scores import Mean, student_interval


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Winner and default recipe at the same new seeds, on studies that chose nothing."""

    metric: Metric
    seeds: Sequence[int]
    winner: Sequence[Mean]
    """At each seed."""
    default: Sequence[Mean]
    difference: float
    """Mean over seeds of winner minus default."""
    low: float | None
    """Lower end of the 95 % Student interval of the paired difference; None with one seed."""
    high: float | None
    spread: float | None
    """Standard deviation of a run over seeds, pooled over both recipes; None with one seed."""

    @property
    def significant(self) -> bool | None:
        """Return whether the winner is better beyond the noise of seeds; None if nobody can say."""
        if self.low is None or self.high is None:
            return None
        return self.low > 0 if self.metric.goal == "maximize" else self.high < 0


def compare(final: Sequence[Outcome], metric: Metric) -> Comparison | None:
    """Return winner minus default, paired by seed; None before any pair is complete.

    Seeds decide initial weights and the order of the data, so a pair shares both. The interval is
    over seeds: Student's, with one degree of freedom less than there are pairs.
    """
    scores = {(one.recipe, one.seed): one.scores[metric.name] for one in complete(final)}
    seeds = sorted(
        seed
        for recipe, seed in scores
        if recipe == "winner" and seed is not None and ("default", seed) in scores
    )
    if not seeds:
        return None
    winner = [scores["winner", seed] for seed in seeds]
    default = [scores["default", seed] for seed in seeds]
    both = [[score.value for score in scores] for scores in (winner, default)]
    differences = [one - other for one, other in zip(*both, strict=True)]
    low, high = student_interval(differences)
    pooled = statistics.fmean(map(statistics.variance, both)) if len(seeds) > 1 else None
    return Comparison(
        metric=metric,
        seeds=seeds,
        winner=winner,
        default=default,
        difference=statistics.fmean(differences),
        low=low,
        high=high,
        spread=None if pooled is None else pooled**0.5,
    )


@cache
def expected_maximum(count: int) -> float:
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
    others = [(one, one.scores[metric.name]) for one in complete(found) if one is not leader]
    return [
        one
        for one, score in others
        if score.low is not None and score.high is not None and score.low <= mark <= score.high
    ]
