"""A band of affinities whose edges follow what the batches hold."""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.losses.comparison import off_diagonal
from cinelex.losses.large_comparison import TiledTable
from cinelex.losses.negative_weights import Table, band, band_of, effective_size
from cinelex.losses.order_statistics import quantiles

BISECTIONS = 40
NARROWEST, WIDEST = 1e-4, 1e2
"""Widths of the band's edges between which the controller looks."""


class AdaptiveBandpass(nn.Module):
    """A band whose edges are quantiles of the affinities, so that it holds a set share of them.

    With Q the quantiles of all off-diagonal affinities of the batch, remembered over batches:

        high = Q(1 - tail),  low = Q(1 - tail - coverage),  coverage from start to end over the run

    Where an effective size is asked for, the width of the edges is found by bisection so that the
    mean over rows of ESS / (studies - 1) is that; otherwise it is ``width``.
    """

    edges: Tensor
    seen: Tensor

    def __init__(
        self,
        *,
        coverage: tuple[float, float] = (0.15, 0.35),
        tail: float = 0.05,
        memory: float = 0.9,
        width: float = 0.05,
        effective_share: float | None = None,
    ) -> None:
        """Start with no quantile seen.

        Args:
            coverage: Share of the pairs inside the band, at the first and at the last step.
            tail: Share of the pairs above the band.
            memory: Share of the old edges in the new ones; 0 takes each batch's own.
            width: Width of the edges, an affinity.
            effective_share: ESS / (studies - 1) that the width is chosen for, in (0, 1).

        Raises:
            ValueError: A share is out of its range.
        """
        super().__init__()
        if not (tail >= 0 and min(coverage) > 0 and tail + max(coverage) <= 1):
            raise ValueError(f"tail {tail} and coverage {coverage} must be shares that fit in 1")
        if not 0 <= memory < 1:
            raise ValueError(f"memory must lie in [0, 1), got {memory}")
        if effective_share is not None and not 0 < effective_share < 1:
            raise ValueError(f"effective_share must lie in (0, 1), got {effective_share}")
        self.coverage, self.tail, self.memory = coverage, tail, memory
        self.width, self.effective_share = width, effective_share
        self.register_buffer("edges", torch.zeros(2))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weights; in training, remember the edges."""
        others = off_diagonal(affinity).flatten()
        found = self._edges(lambda shares: torch.quantile(others, shares.to(others)), progress)
        edges = found.to(affinity.dtype)
        if self.effective_share is None:
            return band(affinity, edges, affinity.new_tensor(self.width))
        return band(affinity, edges, width_for(affinity, edges, self.effective_share))

    @torch.no_grad()
    def by_tile(self, affinity: TiledTable, *, progress: float) -> TiledTable:
        """Return the same, tile by tile; an asked-for effective size costs 40 passes."""
        edges = self._edges(partial(quantiles, affinity), progress)
        if self.effective_share is None:
            width = edges.new_tensor(self.width, dtype=torch.float64)
        else:
            width = _bisected(
                partial(_mean_size, affinity, edges), self.effective_share, like=edges
            )
        return affinity.then(lambda tile, _: band_of(tile, edges.to(tile), width.to(tile)))

    def _edges(self, quantile: Callable[[Tensor], Tensor], progress: float) -> Float[Tensor, "2"]:
        start, end = self.coverage
        coverage = start + (end - start) * progress
        shares = torch.tensor([1 - self.tail - coverage, 1 - self.tail], dtype=torch.float64)
        new = quantile(shares.clamp(min=0.0)).to(self.edges)
        edges = torch.where(self.seen > 0, self.memory * self.edges + (1 - self.memory) * new, new)
        if self.training:
            self.edges.copy_(edges)
            self.seen += 1
        return edges


@torch.no_grad()
def width_for(
    affinity: Table, edges: Float[Tensor, "2"], effective_share: float
) -> Float[Tensor, ""]:
    """Return the width at which the mean of ESS / (studies - 1) is ``effective_share``.

    Wider edges make weights more alike. A share that no width reaches gives the nearest end.
    """
    return _bisected(
        lambda width: effective_size(band(affinity, edges, width)).mean(),
        effective_share,
        like=affinity,
    )


def _bisected(
    size_at: Callable[[Tensor], Tensor], effective_share: float, *, like: Tensor
) -> Float[Tensor, ""]:
    low, high = like.new_tensor(math.log(NARROWEST)), like.new_tensor(math.log(WIDEST))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        enough = size_at(middle.exp()) > effective_share
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    return ((low + high) / 2).exp()


def _mean_size(affinity: TiledTable, edges: Tensor, width: Tensor) -> Float[Tensor, ""]:
    """Return the mean of ESS / (studies - 1) of a band over tiles."""
    return affinity.mean(
        lambda tile, first: effective_size(band_of(tile, edges.to(tile), width.to(tile)), first)
    )
