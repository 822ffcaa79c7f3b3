"""Contrastive loss whose denominators are remembered per study, for small batches."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.losses.comparison import AnyComparison, Scored, both_ways, off_diagonal
from cinelex.losses.large_comparison import LargeComparison


class MovingAverage(nn.Module):
    """SogCLR's estimator: each study keeps a moving average of its denominator.

    With g_i = mean over j != i of e^((s_ij - s_ii) / t) in this batch and u_i its moving average
    over the steps that saw study i, the gradient is that of t ln u_i:

        loss = t mean_i g_i / u_i   (u without gradient)

    Its value is near t whatever the model knows, so only its gradient means something. In a first
    visit and outside training u_i = g_i.

    Source: Yuan et al. 2022, SogCLR, arXiv:2202.12387, algorithm 1; Wei et al. 2024, FastCLIP,
    arXiv:2407.01445, equations 1 and 2.
    """

    log_averages: Tensor

    def __init__(self, *, studies: int, rate: float = 0.5) -> None:
        """Remember nothing yet.

        Args:
            studies: Training studies.
            rate: Share of the newest estimate in the average, in (0, 1]; 1 remembers nothing.

        Raises:
            ValueError: ``rate`` is out of its range.
        """
        super().__init__()
        if not 0 < rate <= 1:
            raise ValueError(f"rate must lie in (0, 1], got {rate}")
        self.rate = rate
        self.register_buffer("log_averages", torch.full((2, studies), -torch.inf))

    def forward(self, comparison: AnyComparison, *, progress: float) -> Scored:
        """Return the mean over both directions; in training, remember the denominators."""
        losses = [
            self._one_way(log_mean, comparison, direction)
            for direction, log_mean in enumerate(_log_means(comparison))
        ]
        return Scored((losses[0] + losses[1]) / 2, None)

    def _one_way(
        self, log_mean: Tensor, comparison: AnyComparison, direction: int
    ) -> Float[Tensor, ""]:
        new = log_mean.detach()
        if self.training:
            old = self.log_averages[direction, comparison.index].to(new.dtype)
            mixed = torch.logaddexp(_log(1 - self.rate) + old, _log(self.rate) + new)
            new = torch.where(old.isinf(), new, mixed)
            self.log_averages[direction, comparison.index] = new.to(self.log_averages.dtype)
        return comparison.temperature.detach() * (log_mean - new).exp().mean()


def _log_means(comparison: AnyComparison) -> list[Float[Tensor, " study"]]:
    """Return ln g of every study, as it looks for reports and as its report looks for studies."""
    if isinstance(comparison, LargeComparison):
        (sums,), _ = comparison.sums(comparison.others())
        own, count = comparison.own_logits(), math.log(comparison.studies - 1)
        over_rows = comparison.everyone(sums.rows - own)
        return [over_rows - count, sums.columns - comparison.everyone(own) - count]
    found = []
    for logits in both_ways(comparison.logits):
        gaps = off_diagonal(logits - logits.diagonal()[:, None])
        found.append(gaps.logsumexp(1) - math.log(max(1, gaps.shape[1])))
    return found


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf
