"""What mean, spread and norm of embeddings can tell, and that collapse is not among it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cinelex.doctor.logs.course import last_quarter
from cinelex.doctor.logs.entry import Entry, Question, Verdict, number
from cinelex.doctor.logs.metric import Metric
from cinelex.doctor.logs.names import is_effective_rank, latent_role, words_of
from cinelex.doctor.logs.relations import SameNumber, norm_identity
from cinelex.metrics.series.level import Level, level_change

_WIDTHS = tuple(sorted(2**a * b for a in range(4, 13) for b in (1, 3)))
"""Widths that layers usually have."""
_TOLERANCES = (0.06, 0.06)
"""Of the shape and of the width, where no norm tells how many outputs there are."""
_MIN_SHAPE_TOLERANCE = 0.04
_CONSTANT = 0.01
"""Standard deviation over the last quarter, as a share of the level, of what does not move."""
_CENTRED = 0.1
_COLLAPSED_RANK = 1.5


@dataclass(frozen=True)
class Statistics:
    """The statistics of one kind of embedding in one run, by role."""

    name: str
    of: Mapping[str, Metric]

    @property
    def identity(self) -> tuple[SameNumber, float] | None:
        """Return how the norm follows from mean and std, with the width; None where it does not."""
        if not {"mean", "norm"} <= self.of.keys():
            return None
        return norm_identity(self.of["mean"], self.of["std"], self.of["norm"])

    def level(self, role: str) -> Level:
        """Return the last level of one statistic."""
        return level_change(self.of[role].values).last


def find_statistics(metrics: Mapping[str, Metric]) -> list[Statistics]:
    """Return groups of mean, std, norm, min and max whose names differ in nothing else."""
    groups: dict[str, dict[str, Metric]] = {}
    for name, metric in metrics.items():
        role = latent_role(name)
        if role is not None:
            groups.setdefault(" ".join(words_of(name)[:-1]), {})[role] = metric
    return [Statistics(name or "latent", of) for name, of in groups.items() if "std" in of]


def derived_norms(metrics: Mapping[str, Metric]) -> set[str]:
    """Return the names of norms that follow exactly from a mean and a standard deviation."""
    return {one.of["norm"].name for one in find_statistics(metrics) if one.identity}


def latent_entries(run: str, metrics: Mapping[str, Metric]) -> Iterator[Entry]:
    """Yield the claims about each group of statistics of embeddings."""
    for statistics in find_statistics(metrics):
        yield _collapse(run, statistics, metrics)
        if {"mean", "norm"} <= statistics.of.keys():
            yield _independent(run, statistics)
        if "max" in statistics.of:
            yield _bias_signature(run, statistics)
        if "mean" in statistics.of:
            yield _centred(run, statistics)


def _collapse(run: str, statistics: Statistics, metrics: Mapping[str, Metric]) -> Entry:
    rank = _rank_of(statistics, metrics)
    question = Question(
        run=run,
        metric=rank.name if rank else statistics.name,
        claim="the embeddings have not collapsed",
        window="last 5 % of the points",
        estimator="median, block bootstrap" if rank else "none in these files",
        null="an effective rank of 1: every item has one vector",
    )
    if rank is None:
        return question.answer(
            "not testable",
            "Mean, std, norm, min and max are the same for a batch of one repeated vector and for "
            "a healthy one. Log RankMe, the std of each dimension over the batch, or the mean "
            "cosine of different items.",
        )
    level = level_change(rank.values).last
    return question.answer(
        "contradicted" if level.value < _COLLAPSED_RANK else "supported",
        f"The effective rank ends at {number(level.value)}.",
        value=level.value,
        interval=None if math.isnan(level.error) else level.interval,
    )


def _rank_of(statistics: Statistics, metrics: Mapping[str, Metric]) -> Metric | None:
    """Return the effective rank of these embeddings, else the only one that there is."""
    ranks = [metric for name, metric in metrics.items() if is_effective_rank(name)]
    own = [m for m in ranks if " ".join(words_of(m.name)).startswith(f"{statistics.name} ")]
    return next(iter(own or ranks), None)


def _independent(run: str, statistics: Statistics) -> Entry:
    found = statistics.identity
    question = Question(
        run=run,
        metric=statistics.name,
        claim="std and norm are two pieces of evidence",
        window="all common steps",
        estimator="norm² / (std² + mean²) at every step",
        null="no constant",
    )
    if found is None:
        reason = "No single width makes the norm follow from mean and std in these files."
        return question.answer("not testable", reason)
    same, width = found
    return question.answer(
        "contradicted",
        f"{same.formula} at every step to {same.agreement:.2%}: one number, logged twice.",
        value=width,
    )


def _bias_signature(run: str, statistics: Statistics) -> Entry:
    """Compare std and maximum with those of an untrained linear layer's bias.

    The shape of the values decides, where they stand still; a usual width only supports it, for
    the std of d uniform numbers scatters so much that most widths are near one by chance.
    """
    std, top = statistics.level("std").value, statistics.level("max").value
    shape = top / std if std > 0 else math.nan
    fan_in = 1 / (3 * std**2) if std > 0 else math.nan
    nearest = min(_WIDTHS, key=lambda width: abs(math.log(width / fan_in))) if std > 0 else 0
    of_shape, of_width = _tolerances(statistics)
    width_fits = nearest > 0 and abs(fan_in / nearest - 1) < of_width
    uniform = abs(shape / math.sqrt(3) - 1) < of_shape
    text = (
        f"std {number(std)} is 1/√(3 x {fan_in:.0f}) and max/std is {shape:.3f}, where a uniform "
        f"bias has √3 = 1.732."
    )
    still = all(_stands_still(statistics.of[role]) for role in ("std", "max"))
    if uniform and not still:
        text = f"{text} But they still move, which a bias that nothing trains does not."
    elif uniform:
        where = f"the bias of a layer of {nearest} inputs" if width_fits else "a uniform bias"
        text = f"{text} That is what a network gives whose output is {where}, whatever it sees."
    return Question(
        run=run,
        metric=statistics.name,
        claim="the output is more than the last layer's first bias",
        window="last 5 % of the points, at rest in the last quarter of the steps",
        estimator="max/std; beside it the input width that std = 1/√(3 fan_in) asks for",
        null="normal values have max/std above 3 from 500 numbers on; a usual width fits by chance "
        f"in {_by_chance(of_width):.0%} of cases",
    ).answer("contradicted" if uniform and still else "not testable", text, value=shape)


def _tolerances(statistics: Statistics) -> tuple[float, float]:
    """Return three standard errors of max/std and two of fan_in, for d uniform numbers.

    The std scatters by ``sqrt(0.2 / d)`` of itself, where ``d = norm² / (std² + mean²)``; so does
    max/std, and fan_in by twice that.
    """
    if statistics.identity is None:
        return _TOLERANCES
    scatter = math.sqrt(0.2 / statistics.identity[1])
    return max(_MIN_SHAPE_TOLERANCE, 3 * scatter), 4 * scatter


def _by_chance(tolerance: float) -> float:
    """Return the share of stds, drawn log-uniformly, within tolerance of a usual width."""
    return min(1.0, 2 * tolerance / math.log(math.sqrt(2)))


def _stands_still(metric: Metric) -> bool:
    _, values = last_quarter(metric)
    return float(np.std(values)) <= _CONSTANT * abs(float(np.median(values)))


def _centred(run: str, statistics: Statistics) -> Entry:
    level, std = statistics.level("mean"), statistics.level("std").value
    allowed = _CENTRED * std
    question = Question(
        run=run,
        metric=statistics.of["mean"].name,
        claim="the embeddings are centred",
        window="last 5 % of the points",
        estimator="median, block bootstrap",
        null=f"an untrained layer is within {number(allowed)}, a tenth of std, too: being "
        "centred says nothing of learning",
    )
    if math.isnan(level.error):
        reason = f"It ends at {number(level.value)}, with too few points for an interval."
        return question.answer("not testable", reason, value=level.value)
    low, high = level.interval
    verdict: Verdict = "not testable"
    if np.abs([low, high]).max() <= allowed:
        verdict = "supported"
    elif low > allowed or high < -allowed:
        verdict = "contradicted"
    reason = f"The mean ends between {number(low)} and {number(high)}, where std is {number(std)}."
    return question.answer(verdict, reason, value=level.value, interval=level.interval)
