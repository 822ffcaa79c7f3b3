"""Whether the winner is better than the default recipe, and which swept keys matter."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from cinelex.metrics.importance import Importance, importances
from cinelex.projects.interface.results import Score
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.outcomes import Outcome, complete, score_of
from cinelex.sweeps.plan import Metric


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Winner and default recipe at the same new seeds, on studies that chose nothing."""

    seeds: Sequence[int]
    winner: Sequence[Outcome]
    """At each seed."""
    default: Sequence[Outcome]
    difference: Score
    """Mean over seeds of winner minus default, with the interval of the paired difference."""
    spread: float | None
    """Standard deviation of a run over seeds, pooled over both recipes; None with one seed."""

    @property
    def verdict(self) -> str:
        """Return in words whether the winner is better than the noise of seeds."""
        low, high = self.difference.low, self.difference.high
        if low is None or high is None:
            return "one seed: cannot tell whether that is noise"
        if low <= 0 <= high:
            return "inside the noise"
        better = (low > 0) == (self.difference.better == "higher")
        return "better beyond the noise of seeds" if better else "worse than the default recipe"


def compare(final: Sequence[Outcome], metric: Metric) -> Comparison | None:
    """Return winner minus default, paired by seed; None before any pair is complete.

    Seeds decide initial weights and the order of the data, so a pair shares both. The interval is
    over seeds: Student's, with one degree of freedom less than there are pairs.
    """
    done = {(one.recipe, one.seed): one for one in complete(final)}
    seeds = sorted({one.seed for one in done.values() if one.seed is not None})
    seeds = [one for one in seeds if {("winner", one), ("default", one)} <= done.keys()]
    if not seeds:
        return None
    winner, default = ([done[who, seed] for seed in seeds] for who in ("winner", "default"))
    both = [[one.value(metric.name) for one in ones] for ones in (winner, default)]
    differences = [one - other for one, other in zip(*both, strict=True)]
    return Comparison(
        seeds=seeds,
        winner=winner,
        default=default,
        difference=score_of(metric, differences, 0.0, "default recipe"),
        spread=statistics.fmean(map(statistics.variance, both)) ** 0.5 if len(seeds) > 1 else None,
    )


def not_distinct(found: Sequence[Outcome], leader: Outcome, metric: Metric) -> list[Outcome]:
    """Return the complete configurations whose 95 % interval holds the leader's score.

    Nobody can tell them from the leader by the studies that it was chosen on.
    """
    mark = leader.value(metric.name)
    others = [
        (one, one.scores[metric.name]) for one in complete(found) if one.number != leader.number
    ]
    return [
        one
        for one, score in others
        if score.low is not None and score.high is not None and score.low <= mark <= score.high
    ]


def importance_of(
    search: Sequence[Outcome], parameters: Mapping[str, Distribution], metric: Metric
) -> list[Importance]:
    """Return the importance of each swept key for an objective, greatest first."""

    def position(key: str, value: JsonValue) -> float:
        return parameters[key].position(value) or 0.0

    done = complete(search)
    points = [{key: position(key, one.values[key]) for key in parameters} for one in done]
    choices = {key: {position(key, one) for one in parameters[key].choices} for key in parameters}
    return importances(points, [one.gain(metric) for one in done], choices=choices)
