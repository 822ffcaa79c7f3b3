"""Negatives weighed by their own similarity, whatever it means; each is InfoNCE somewhere."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks
from cinelex.losses.comparison import AnyComparison, Comparison, Scored, both_ways, off_diagonal
from cinelex.losses.large_comparison import LargeComparison, Tile
from cinelex.losses.negative_weights import Table, log_mean, mean_one, own_pair_free
from cinelex.losses.similarity_aware import one_way

ROUNDING = 8
"""Units in the last place by which a cosine may differ where it is made again as a column."""


@dataclass(frozen=True, kw_only=True)
class HardNegatives:
    """Negatives corrected for the positives among them, and weighted by their own similarity.

    With p = e^L_ii, N negatives and w_ij = e^(beta L_ij) over its mean in the row:

        G = max((sum_j w_ij e^L_ij - tau N p) / (1 - tau), N e^(-1/t)),  loss = -ln p / (p + G)

    At beta = 0 it is the debiased loss; at tau = 0 as well, InfoNCE.

    Source: Chuang et al. 2020, arXiv:2007.00224, equation 8 (tau); Robinson et al. 2021, HCL,
    arXiv:2010.04592, equation 5 (beta).
    """

    positive_prior: float = 0.1
    """tau: how likely a random pair is a positive, in [0, 1)."""
    hardness: float = 0.0
    """beta, 0 or more."""

    def __post_init__(self) -> None:
        """Refuse a prior outside [0, 1)."""
        if not 0 <= self.positive_prior < 1:
            raise ValueError(f"positive_prior must lie in [0, 1), got {self.positive_prior}")

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        if isinstance(comparison, LargeComparison):
            return self._in_tiles(comparison)
        losses = [self._one_way(table, comparison) for table in both_ways(comparison.logits)]
        return Scored((losses[0] + losses[1]) / 2, None)

    def _in_tiles(self, comparison: LargeComparison) -> Scored:
        """Take the weighed sum from two log-sum-exps: its weights are e^(beta L) over their sum."""
        views = comparison.others(1 + self.hardness), comparison.others(self.hardness)
        (weighed, weights), _ = comparison.sums(*views)
        own = comparison.own_logits()
        over_rows = self._cost(weighed.rows - weights.rows, own, comparison)
        over_columns = self._cost(
            weighed.columns - weights.columns, comparison.everyone(own), comparison
        )
        total = sum_over_ranks(over_rows.sum()) + over_columns.sum()
        return Scored(total / (2 * comparison.studies), None)

    def _cost(
        self, log_weighed: Tensor, own: Tensor, comparison: LargeComparison
    ) -> Float[Tensor, " query"]:
        """Return the loss of each query, given the weighted mean of its negatives' exponentials."""
        prior, negatives = self.positive_prior, comparison.studies - 1
        top = torch.maximum(log_weighed, own).detach()
        positive = (own - top).exp()
        weighed = negatives * (log_weighed - top).exp()
        corrected = (weighed - prior * negatives * positive) / (1 - prior)
        least = negatives * (-comparison.scale.detach() - top).exp()
        return (positive + torch.maximum(corrected, least)).log() + top - own

    def _one_way(self, logits: Table, comparison: Comparison) -> Float[Tensor, ""]:
        prior, negatives = self.positive_prior, len(logits) - 1
        top = logits.detach().amax(1)  # every exponential is taken relative to the row's largest
        positive = (logits.diagonal() - top).exp()
        others = off_diagonal(logits)
        log_share = (self.hardness * others).log_softmax(1) + math.log(max(1, negatives))
        weighed = (others - top[:, None] + log_share).exp().sum(1)
        corrected = (weighed - prior * negatives * positive) / (1 - prior)
        least = negatives * (-1 / comparison.temperature.detach() - top).exp()
        everything = positive + torch.maximum(corrected, least)
        return (everything.log() + top - logits.diagonal()).mean()


@dataclass(frozen=True, kw_only=True)
class ADNCE:
    """Negatives weighted by a Gaussian of their similarity, with the mean 1 in every row.

    As its width grows it becomes InfoNCE.

    Source: Wu et al. 2023, arXiv:2310.11048, equation 11.
    """

    center: float = 0.7
    """Cosine of the negatives that count most."""
    width: float = 1.0
    """Standard deviation of the Gaussian, a cosine."""

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        if isinstance(comparison, LargeComparison):
            by_row, by_column = (
                comparison.cosines(reports_first=which)
                .then(lambda tile, _: self._log_weight(tile))
                .by_row(log_mean)
                for which in (False, True)
            )
            table = comparison.cosines().then(lambda tile, _: self._log_weight(tile))
            view = comparison.weighted(
                table, by_row=by_row, by_column=comparison.everyone(by_column)
            )
            (sums,), _ = comparison.sums(view)
            return Scored(comparison.above_own(sums), table.less(by_row))
        log_weight = own_pair_free(self._log_weight(comparison.similarity.detach()))
        return weighted_both_ways(comparison, [mean_one(table) for table in both_ways(log_weight)])

    def _log_weight(self, cosine: Tile) -> Tile:
        return -((cosine - self.center) ** 2) / (2 * self.width**2)


@dataclass(frozen=True, kw_only=True)
class PercentileNegatives:
    """Only negatives between two percentiles of their row's similarities count.

    Source: Wu et al. 2021, conditional NCE, arXiv:2010.02037, section 3.
    """

    low: float = 0.0
    """Share of the row's negatives that are too easy."""
    high: float = 0.95
    """Share of the row's negatives above which they are too hard, and likely false."""

    def __post_init__(self) -> None:
        """Refuse percentiles that hold nothing."""
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(f"need 0 <= low < high <= 1, got {self.low} and {self.high}")

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        if isinstance(comparison, LargeComparison):
            return self._in_tiles(comparison)
        tables = [self._log_weight(t) for t in both_ways(comparison.similarity.detach())]
        return weighted_both_ways(comparison, tables)

    def _in_tiles(self, comparison: LargeComparison) -> Scored:
        columns = comparison.cosines(reports_first=True)
        low, high = (
            comparison.everyone(columns.by_row(partial(self._end, which))) for which in (0, 1)
        )
        slack = ROUNDING * torch.finfo(low.dtype).eps
        low, high = low - slack, high + slack
        cosines = comparison.cosines()
        over_rows = cosines.then(
            lambda tile, first: _inside(tile, *self._ends(tile, first).unsqueeze(2))
        )
        over_columns = cosines.then(lambda tile, _: _inside(tile, low, high))
        (sums,), _ = comparison.sums(comparison.weighted_apart(over_rows, over_columns))
        return Scored(comparison.above_own(sums), over_rows)

    def _end(self, which: int, cosine: Tile, first: int) -> Float[Tensor, " rows"]:
        return self._ends(cosine, first)[which]

    def _ends(self, cosine: Tile, first: int) -> Float[Tensor, "2 rows"]:
        shares = cosine.new_tensor([self.low, self.high])
        return torch.quantile(off_diagonal(cosine, first), shares, dim=1)

    def _log_weight(self, cosine: Table) -> Table:
        shares = cosine.new_tensor([self.low, self.high])
        ends = torch.quantile(off_diagonal(cosine), shares, dim=1)
        inside = (cosine >= ends[0][:, None]) & (cosine <= ends[1][:, None])
        return own_pair_free(torch.zeros_like(cosine).masked_fill(~inside, -torch.inf))


def _inside(cosine: Tile, low: Tensor, high: Tensor) -> Tile:
    """Return 0 where a cosine lies between two ends, and -inf elsewhere."""
    outside = (cosine < low) | (cosine > high)
    return torch.zeros_like(cosine).masked_fill(outside, -torch.inf)


def weighted_both_ways(comparison: Comparison, log_weights: list[Table]) -> Scored:
    """Return InfoNCE with the log weights of each direction."""
    losses = [
        one_way(logits, table, form="weighted")
        for logits, table in zip(both_ways(comparison.logits), log_weights, strict=True)
    ]
    return Scored((losses[0] + losses[1]) / 2, log_weights[0])
