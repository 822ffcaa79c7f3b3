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
from torch import Tensor, nn

from cinelex.losses.comparison import diagonal, off_diagonal

Table = Float[Tensor, "study study"]

BISECTIONS = 40
NARROWEST, WIDEST = 1e-4, 1e2
"""Widths of the band's edges between which the controller looks."""


@runtime_checkable
class Weighting(Protocol):
    """From affinities to log weights."""

    def __call__(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weight of each pair."""


@dataclass(frozen=True, kw_only=True)
class Debias:
    """Near-duplicates count less: log w = log sigmoid(-sharpness (A - threshold))."""

    sharpness: float
    """Inverse width of the sigmoid's step, in units of 1 / affinity."""
    threshold: float
    """Affinity at which the weight is 1/2."""

    def __call__(self, affinity: Table, *, progress: float) -> Table:
        """Return the log weights, which do not depend on ``progress``."""
        return own_pair_free(F.logsigmoid(-self.sharpness * (affinity - self.threshold)))


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
        start, end = self.coverage
        coverage = start + (end - start) * progress
        shares = affinity.new_tensor([1 - self.tail - coverage, 1 - self.tail]).clamp(min=0.0)
        new = torch.quantile(off_diagonal(affinity).flatten(), shares).to(self.edges.dtype)
        edges = torch.where(self.seen > 0, self.memory * self.edges + (1 - self.memory) * new, new)
        if self.training:
            self.edges.copy_(edges)
            self.seen += 1
        edges = edges.to(affinity.dtype)
        if self.effective_share is None:
            return band(affinity, edges, affinity.new_tensor(self.width))
        return band(affinity, edges, width_for(affinity, edges, self.effective_share))


@torch.no_grad()
def band(affinity: Table, edges: Float[Tensor, "2"], width: Float[Tensor, ""]) -> Table:
    """Return the log weights of a band with the given edges."""
    low, high = edges.unbind()
    rising, falling = (
        F.logsigmoid((affinity - low) / width),
        F.logsigmoid((high - affinity) / width),
    )
    return own_pair_free(rising + falling)


@torch.no_grad()
def width_for(
    affinity: Table, edges: Float[Tensor, "2"], effective_share: float
) -> Float[Tensor, ""]:
    """Return the width at which the mean of ESS / (studies - 1) is ``effective_share``.

    Wider edges make weights more alike. A share that no width reaches gives the nearest end.
    """
    low = affinity.new_tensor(math.log(NARROWEST))
    high = affinity.new_tensor(math.log(WIDEST))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        enough = effective_size(band(affinity, edges, middle.exp())).mean() > effective_share
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    return ((low + high) / 2).exp()


@torch.no_grad()
def own_pair_free(log_weight: Table) -> Table:
    """Return the table with 0 on the diagonal: a study's own report always weighs 1."""
    return log_weight.masked_fill(diagonal(log_weight), 0.0)


@torch.no_grad()
def mean_one(log_weight: Table) -> Table:
    """Scale each row so that its off-diagonal weights have the mean 1.

    The rows of a table and those of its transpose have different sums: apply it per direction.
    """
    others = off_diagonal(log_weight)
    mean = others.logsumexp(1) - math.log(max(1, others.shape[1]))
    return own_pair_free(log_weight - mean[:, None])


@torch.no_grad()
def effective_size(log_weight: Table) -> Float[Tensor, " study"]:
    """Return ESS / (studies - 1) of each row's negatives, ESS = (sum w)^2 / sum w^2; in (0, 1]."""
    others = off_diagonal(log_weight)
    log_ess = 2 * others.logsumexp(1) - (2 * others).logsumexp(1)
    return log_ess.exp() / others.shape[1]


@torch.no_grad()
def row_entropy(log_weight: Table) -> Float[Tensor, " study"]:
    """Return the entropy of each row's negative weights over ln(studies - 1); 1 where all alike."""
    others = off_diagonal(log_weight)
    log_share = others.log_softmax(1)
    share = log_share.exp()
    entropy = -torch.where(share > 0, share * log_share, 0.0).sum(1)
    return entropy / math.log(others.shape[1]) if others.shape[1] > 1 else torch.ones_like(entropy)


@torch.no_grad()
def coverage(affinity: Table, edges: Float[Tensor, "2"]) -> Float[Tensor, ""]:
    """Return the share of the off-diagonal cells whose affinity lies within the edges."""
    others = off_diagonal(affinity)
    return ((others >= edges[0]) & (others <= edges[1])).float().mean()
