"""Answers to false negatives that others know of; each is InfoNCE somewhere."""

from dataclasses import dataclass
from typing import Literal

import torch

from cinelex.losses.comparison import (
    AnyComparison,
    Scored,
    both_ways,
    cross_entropy,
    diagonal,
    off_diagonal,
)
from cinelex.losses.contrastive import info_nce_from_logits, refuse_smoothing
from cinelex.losses.large_comparison import LargeComparison, Tile
from cinelex.losses.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class PlainInfoNCE:
    """The baseline: every other pair is a negative of weight 1."""

    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over all reports; 0 is plain InfoNCE."""

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        refuse_smoothing(self.label_smoothing)

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return InfoNCE and weights of 1."""
        loss = cross_entropy(comparison, label_smoothing=self.label_smoothing)
        if isinstance(comparison, LargeComparison):
            return Scored(loss, comparison.cosines().then(lambda tile, _: torch.zeros_like(tile)))
        return Scored(loss, torch.zeros_like(comparison.similarity).detach())


@dataclass(frozen=True, kw_only=True)
class FalseNegatives:
    """Pairs above an affinity are no negatives: left out, or taken for positives.

    Source: Huynh et al. 2022, arXiv:2011.11765, equations 3 and 4.
    """

    threshold: float = 0.8
    """Affinity above which a pair counts as a false negative."""
    treatment: Literal["eliminate", "attract"] = "eliminate"
    """Leave such pairs out, or pull them together."""

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        if isinstance(comparison, LargeComparison):
            return self._in_tiles(comparison)
        own = diagonal(comparison.similarity)
        false = (comparison.known_affinity() > self.threshold) & ~own
        nothing = torch.zeros_like(own)
        pairs = (
            Pairs(positive=own, excluded=false)
            if self.treatment == "eliminate"
            else Pairs(positive=own | false, excluded=nothing)
        )
        return Scored(info_nce_from_logits(comparison.logits, pairs, form="out"), None)

    def _in_tiles(self, comparison: LargeComparison) -> Scored:
        false = comparison.known_affinity().then(
            lambda tile, _: (tile > self.threshold).to(tile.dtype)
        )
        if self.treatment == "eliminate":
            left = false.then(lambda tile, _: torch.where(tile > 0, -torch.inf, 0.0).to(tile))
            (sums,), _ = comparison.sums(comparison.weighted(left))
            return Scored(comparison.above_own(sums), None)
        # the own pair is a positive whatever its affinity
        share = 1 / (1 + false.by_row(lambda tile, first: off_diagonal(tile, first).sum(1)))
        target = comparison.targets(false, by_row=share, by_column=comparison.everyone(share))
        return Scored(comparison.above_targets(target), None)


@dataclass(frozen=True, kw_only=True)
class SoftTargets:
    """Cross-entropy with targets (1 - share) [i = j] + share softmax_j(A_ij / target temperature).

    Source: Andonian et al. 2022, arXiv:2204.04588, section 3; Gao et al. 2023, SoftCLIP,
    arXiv:2303.17561, equation 7.
    """

    share: float = 0.3
    """Share of the target that follows the affinity; 0 is InfoNCE."""
    target_temperature: float = 0.1
    """Divides the affinities."""

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions; the affinity is symmetric."""
        if isinstance(comparison, LargeComparison):
            return self._in_tiles(comparison)
        affinity = comparison.known_affinity()
        own = diagonal(affinity).to(affinity.dtype)
        soft = (affinity / self.target_temperature).softmax(1)
        target = (1 - self.share) * own + self.share * soft
        losses = [
            -(target * logits.log_softmax(1)).sum(1).mean()
            for logits in both_ways(comparison.logits)
        ]
        return Scored((losses[0] + losses[1]) / 2, None)

    def _in_tiles(self, comparison: LargeComparison) -> Scored:
        scaled = comparison.known_affinity().then(lambda tile, _: tile / self.target_temperature)
        total = scaled.by_row(lambda tile, _: tile.logsumexp(1))
        every = comparison.everyone(total)
        share, own = self.share, 1 - self.share

        def target(rows: slice) -> Tile:
            tile = scaled.cells(rows)
            both = (tile - total[rows, None]).exp().add_((tile - every).exp_()).mul_(share)
            both.diagonal(comparison.first(rows)).add_(2 * own)
            return both

        return Scored(comparison.above_targets(target), None)
