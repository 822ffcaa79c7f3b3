"""Similarity-aware negative weighting: InfoNCE in which negatives count by how alike they are."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.losses.adaptive_band import AdaptiveBandpass
from cinelex.losses.comparison import AnyComparison, Scored, both_ways, diagonal
from cinelex.losses.large_comparison import LargeComparison
from cinelex.losses.negative_weights import (
    Bandpass,
    Debias,
    Table,
    Weighting,
    log_mean,
    mean_one,
    own_pair_free,
)

WeightedForm = Literal["weighted", "decoupled", "modulated"]


@dataclass(frozen=True, kw_only=True)
class Strength:
    """How a weighting is applied, whatever it is."""

    form: WeightedForm = "weighted"
    """Only ``weighted`` is meant for training; the others are for comparison."""
    strength: float = 1.0
    """Beta, 0 or more; multiplies the log weights. 0 is plain InfoNCE."""
    warmup: float = 0.0
    """Share of the run over which beta grows from 0."""
    normalise: bool = False
    """Scale the negatives' weights to the mean 1 in every row, per direction."""

    def __post_init__(self) -> None:
        """Refuse a strength below 0 and a warm-up that is no share."""
        if self.strength < 0 or not 0 <= self.warmup <= 1:
            raise ValueError(
                f"strength must be 0 or more and warmup in [0, 1], got {self.strength} and "
                f"{self.warmup}"
            )

    def beta(self, progress: float) -> float:
        """Return the strength after a share of the run."""
        return self.strength * (min(1.0, progress / self.warmup) if self.warmup else 1.0)


class SimilarityAware(nn.Module):
    """InfoNCE with weighted negatives, in nats; the mean over both directions.

    With L the logits, w the weights without gradient, w_ii = 1, and beta the strength:

        weighted:   -L_ii + ln sum_j w_ij^beta e^L_ij
        decoupled:  -L_ii + ln sum_(j != i) w_ij^beta e^L_ij
        modulated:  -L_ii + ln (e^L_ii + sum_(j != i) (1 + beta w_ij) e^L_ij)

    ``weighted`` is InfoNCE at beta = 0 and at w = 1, and lies between InfoNCE + ln min(1, min w)
    and InfoNCE + ln max(1, max w). ``decoupled`` has no positive in the denominator: it is
    unbounded below and never InfoNCE. ``modulated`` can only raise weights; at w = 1 it tends to
    (1 + beta) times InfoNCE as the model gets better, by its definition and not by its quality. So
    values of different forms cannot be compared; `cross_entropy` is what can.
    """

    def __init__(self, weighting: Weighting, strength: Strength) -> None:
        """Join a weighting and the way it is applied."""
        super().__init__()
        self.weighting, self.strength = weighting, strength

    def forward(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Score a comparison that has an affinity."""
        if isinstance(comparison, LargeComparison):
            return self._in_tiles(comparison, progress)
        log_weight = self.weighting(comparison.known_affinity(), progress=progress)
        applied = [
            self._applied(table, self.strength.beta(progress)) for table in both_ways(log_weight)
        ]
        losses = [
            one_way(logits, table, form=self.strength.form)
            for logits, table in zip(both_ways(comparison.logits), applied, strict=True)
        ]
        return Scored((losses[0] + losses[1]) / 2, applied[0])

    def _in_tiles(self, comparison: LargeComparison, progress: float) -> Scored:
        beta, form = self.strength.beta(progress), self.strength.form
        table = self.weighting.by_tile(comparison.known_affinity(), progress=progress)
        if form == "modulated":
            applied = table.then(lambda tile, _: torch.log1p(beta * tile.exp()))
        else:
            applied = table.then(lambda tile, _: beta * tile)
        own, by_row, by_column = (-torch.inf if form == "decoupled" else 0.0), None, None
        if self.strength.normalise and form != "modulated":
            # affinities are symmetric: a column's mean is that of its row
            by_row = applied.by_row(log_mean)
            by_column = comparison.everyone(by_row)
        view = comparison.weighted(applied, by_row=by_row, by_column=by_column, own=own)
        (sums,), _ = comparison.sums(view)
        shown = applied if by_row is None else applied.less(by_row)
        return Scored(comparison.above_own(sums), shown)

    def _applied(self, log_weight: Table, beta: float) -> Table:
        """Return the log weights of one direction as the loss uses them."""
        if self.strength.form == "modulated":
            return own_pair_free(torch.log1p(beta * log_weight.exp()))
        scaled = beta * log_weight
        return mean_one(scaled) if self.strength.normalise else scaled


def one_way(logits: Table, log_weight: Table, *, form: WeightedForm) -> Float[Tensor, ""]:
    """Return the mean loss of the queries along the rows, given their log weights."""
    weighed = logits + log_weight.to(logits.dtype)
    if form == "decoupled":
        weighed = weighed.masked_fill(diagonal(logits), -torch.inf)
    return (weighed.logsumexp(1) - logits.diagonal()).mean()


def debias(
    *,
    sharpness: float = 20.0,
    threshold: float = 0.8,
    form: WeightedForm = "weighted",
    strength: float = 1.0,
    warmup: float = 0.0,
    normalise: bool = False,
) -> SimilarityAware:
    """Return the loss in which near-duplicates count less; see `Debias` and `Strength`."""
    applied = Strength(form=form, strength=strength, warmup=warmup, normalise=normalise)
    return SimilarityAware(Debias(sharpness=sharpness, threshold=threshold), applied)


def bandpass(
    *,
    low: float = 0.2,
    high: float = 0.8,
    width: float = 0.05,
    form: WeightedForm = "weighted",
    strength: float = 1.0,
    warmup: float = 0.0,
    normalise: bool = False,
) -> SimilarityAware:
    """Return the loss in which mid-hard negatives count most; see `Bandpass` and `Strength`.

    Raises:
        ValueError: The edges do not rise, or have no width.
    """
    if not (low < high and width > 0):
        raise ValueError(f"low ({low}) must be below high ({high}), and width above 0 ({width})")
    applied = Strength(form=form, strength=strength, warmup=warmup, normalise=normalise)
    return SimilarityAware(Bandpass(low=low, high=high, width=width), applied)


def adaptive_bandpass(
    *,
    coverage: tuple[float, float] = (0.15, 0.35),
    tail: float = 0.05,
    memory: float = 0.9,
    width: float = 0.05,
    effective_share: float | None = None,
    form: WeightedForm = "weighted",
    strength: float = 1.0,
    warmup: float = 0.0,
    normalise: bool = False,
) -> SimilarityAware:
    """Return the loss whose band follows the affinities; see `AdaptiveBandpass`, `Strength`."""
    weighting = AdaptiveBandpass(
        coverage=coverage, tail=tail, memory=memory, width=width, effective_share=effective_share
    )
    applied = Strength(form=form, strength=strength, warmup=warmup, normalise=normalise)
    return SimilarityAware(weighting, applied)
