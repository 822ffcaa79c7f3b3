"""How much each negative counts, from how alike the two studies are; all in logarithms.

Every function here returns log weights without gradient and with 0 on the diagonal: the own pair
always weighs 1.
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import highest_over_ranks
from cinelex.losses.comparison import diagonal, off_diagonal
from cinelex.losses.large_comparison import Tile, TiledTable

Table = Float[Tensor, "study study"]


@runtime_checkable
class Weighting(Protocol):
    """From affinities to log weights."""

    def __call__(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weight of each pair."""

    def by_tile(self, affinity: TiledTable, *, progress: float) -> TiledTable:
        """Return the same, tile by tile; the own pairs' are never read."""


@dataclass(frozen=True, kw_only=True)
class Debias:
    """Near-duplicates count less: log w = log sigmoid(-sharpness (A - threshold))."""

    sharpness: float
    """Inverse width of the sigmoid's step, in units of 1 / affinity."""
    threshold: float
    """Affinity at which the weight is 1/2."""

    def __call__(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weights, which do not depend on ``progress``."""
        return own_pair_free(self._log_weight(affinity))

    def by_tile(self, affinity: TiledTable, *, progress: float) -> TiledTable:
        """Return the same, tile by tile."""
        return affinity.then(lambda tile, _: self._log_weight(tile))

    def _log_weight(self, affinity: Tile) -> Tile:
        return F.logsigmoid(-self.sharpness * (affinity - self.threshold))


@dataclass(frozen=True, kw_only=True)
class Bandpass:
    """Negatives between two affinities count most, far and near ones less.

    log w = log sigmoid((A - low) / width) + log sigmoid((high - A) / width)
    """

    low: float
    """Lower edge, an affinity."""
    high: float
    """Upper edge, an affinity."""
    width: float
    """Width of both edges, an affinity."""

    def __call__(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weights, which do not depend on ``progress``."""
        edges = affinity.new_tensor([self.low, self.high])
        return band(affinity, edges, affinity.new_tensor(self.width))

    def by_tile(self, affinity: TiledTable, *, progress: float) -> TiledTable:
        """Return the same, tile by tile."""
        edges = [self.low, self.high]
        return affinity.then(
            lambda tile, _: band_of(tile, tile.new_tensor(edges), tile.new_tensor(self.width))
        )


@torch.no_grad()
def band(affinity: Table, edges: Float[Tensor, "2"], width: Float[Tensor, ""]) -> Table:
    """Return the log weights of a band with the given edges."""
    return own_pair_free(band_of(affinity, edges, width))


@torch.no_grad()
def band_of(affinity: Tile, edges: Float[Tensor, "2"], width: Float[Tensor, ""]) -> Tile:
    """Return the same for any cells, the own pairs like all."""
    low, high = edges.unbind()
    rising, falling = (
        F.logsigmoid((affinity - low) / width),
        F.logsigmoid((high - affinity) / width),
    )
    return rising + falling


@torch.no_grad()
def own_pair_free(log_weight: Table) -> Table:
    """Return the table with 0 on the diagonal: a study's own report always weighs 1."""
    return log_weight.masked_fill(diagonal(log_weight), 0.0)


@torch.no_grad()
def mean_one(log_weight: Table) -> Table:
    """Scale each row so that its off-diagonal weights have the mean 1.

    The rows of a table and those of its transpose have different sums: apply it per direction.
    """
    return own_pair_free(log_weight - log_mean(log_weight)[:, None])


@torch.no_grad()
def log_mean(log_weight: Tile, first: int = 0) -> Float[Tensor, " rows"]:
    """Return the logarithm of the mean of each row's off-diagonal weights."""
    others = off_diagonal(log_weight, first)
    return others.logsumexp(1) - math.log(max(1, others.shape[1]))


@torch.no_grad()
def effective_size(log_weight: Tile, first: int = 0) -> Float[Tensor, " rows"]:
    """Return ESS / (studies - 1) of each row's negatives, ESS = (sum w)^2 / sum w^2; in (0, 1]."""
    others = off_diagonal(log_weight, first)
    log_ess = 2 * others.logsumexp(1) - (2 * others).logsumexp(1)
    return log_ess.exp() / others.shape[1]


@torch.no_grad()
def row_entropy(log_weight: Tile, first: int = 0) -> Float[Tensor, " rows"]:
    """Return the entropy of each row's negative weights over ln(studies - 1); 1 where all alike."""
    others = off_diagonal(log_weight, first)
    log_share = others.log_softmax(1)
    share = log_share.exp()
    entropy = -torch.where(share > 0, share * log_share, 0.0).sum(1)
    return entropy / math.log(others.shape[1]) if others.shape[1] > 1 else torch.ones_like(entropy)


@torch.no_grad()
def coverage(affinity: Table | TiledTable, edges: Float[Tensor, "2"]) -> Float[Tensor, ""]:
    """Return the share of the off-diagonal cells whose affinity lies within the edges."""

    def inside(tile: Tile, first: int) -> Tensor:
        others = off_diagonal(tile, first)
        return ((others >= edges[0]) & (others <= edges[1])).float().mean(1)

    return affinity.mean(inside) if isinstance(affinity, TiledTable) else inside(affinity, 0).mean()


def diversity(log_weight: Table | TiledTable) -> dict[str, Tensor]:
    """Return how many negatives count, as shares: 1 where all weigh alike."""
    if isinstance(log_weight, TiledTable):
        lowest = log_weight.by_row(lambda tile, first: off_diagonal(tile, first).amin(1)).amin()
        return {
            "weights/effective_share": log_weight.mean(effective_size),
            "weights/entropy": log_weight.mean(row_entropy),
            "weights/least": (-highest_over_ranks(-lowest)).clamp(max=0.0).exp(),
        }
    return {
        "weights/effective_share": effective_size(log_weight).mean(),
        "weights/entropy": row_entropy(log_weight).mean(),
        "weights/least": log_weight.min().exp(),
    }
