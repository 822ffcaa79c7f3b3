"""Other answers to false and to easy negatives, for the same table; each is InfoNCE somewhere."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.losses.comparison import (
    Comparison,
    Scored,
    both_ways,
    cross_entropy,
    diagonal,
    off_diagonal,
)
from cinelex.losses.contrastive import info_nce_from_logits, refuse_smoothing
from cinelex.losses.negative_weights import Table, mean_one, own_pair_free
from cinelex.losses.pairs import Pairs
from cinelex.losses.similarity_aware import one_way


@dataclass(frozen=True, kw_only=True)
class PlainInfoNCE:
    """The baseline: every other pair is a negative of weight 1."""

    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over all reports; 0 is plain InfoNCE."""

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        refuse_smoothing(self.label_smoothing)

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return InfoNCE and weights of 1."""
        loss = cross_entropy(comparison, label_smoothing=self.label_smoothing)
        return Scored(loss, torch.zeros_like(comparison.similarity).detach())


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

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        losses = [self._one_way(table, comparison) for table in both_ways(comparison.logits)]
        return Scored((losses[0] + losses[1]) / 2, None)

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

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        cosine = comparison.similarity.detach()
        log_weight = own_pair_free(-((cosine - self.center) ** 2) / (2 * self.width**2))
        return weighted_both_ways(comparison, [mean_one(table) for table in both_ways(log_weight)])


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

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        tables = [self._log_weight(t) for t in both_ways(comparison.similarity.detach())]
        return weighted_both_ways(comparison, tables)

    def _log_weight(self, cosine: Table) -> Table:
        shares = cosine.new_tensor([self.low, self.high])
        ends = torch.quantile(off_diagonal(cosine), shares, dim=1)
        inside = (cosine >= ends[0][:, None]) & (cosine <= ends[1][:, None])
        return own_pair_free(torch.zeros_like(cosine).masked_fill(~inside, -torch.inf))


@dataclass(frozen=True, kw_only=True)
class FalseNegatives:
    """Pairs above an affinity are no negatives: left out, or taken for positives.

    Source: Huynh et al. 2022, arXiv:2011.11765, equations 3 and 4.
    """

    threshold: float = 0.8
    """Affinity above which a pair counts as a false negative."""
    treatment: Literal["eliminate", "attract"] = "eliminate"
    """Leave such pairs out, or pull them together."""

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return the mean over both directions."""
        own = diagonal(comparison.similarity)
        false = (comparison.known_affinity() > self.threshold) & ~own
        nothing = torch.zeros_like(own)
        pairs = (
            Pairs(positive=own, excluded=false)
            if self.treatment == "eliminate"
            else Pairs(positive=own | false, excluded=nothing)
        )
        return Scored(info_nce_from_logits(comparison.logits, pairs, form="out"), None)


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

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Return the mean over both directions; the affinity is symmetric."""
        affinity = comparison.known_affinity()
        own = diagonal(affinity).to(affinity.dtype)
        soft = (affinity / self.target_temperature).softmax(1)
        target = (1 - self.share) * own + self.share * soft
        losses = [
            -(target * logits.log_softmax(1)).sum(1).mean()
            for logits in both_ways(comparison.logits)
        ]
        return Scored((losses[0] + losses[1]) / 2, None)


def weighted_both_ways(comparison: Comparison, log_weights: list[Table]) -> Scored:
    """Return InfoNCE with the log weights of each direction."""
    losses = [
        one_way(logits, table, form="weighted")
        for logits, table in zip(both_ways(comparison.logits), log_weights, strict=True)
    ]
    return Scored((losses[0] + losses[1]) / 2, log_weights[0])
