"""Fact loss: what the report states, asked of the study's videos."""

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks

MIN_STATED: Final = 10
"""Training reports below which a fact is not asked for."""


@dataclass(frozen=True)
class FactStatistics:
    """What the training reports say of each fact on average."""

    mean: Float[Tensor, " fact"]
    """In the fact's unit."""
    std: Float[Tensor, " fact"]
    """In the fact's unit; 0 where fewer than `MIN_STATED` reports state it, or all the same."""

    def to(self, device: torch.device) -> "FactStatistics":
        """Copy to a device, without waiting for the copy."""
        return FactStatistics(
            self.mean.to(device, non_blocking=True), self.std.to(device, non_blocking=True)
        )

    def standardised(self, values: Float[Tensor, "study fact"]) -> Float[Tensor, "study fact"]:
        """Return values in deviations from the mean; 0 where there is no deviation."""
        return (values - self.mean) / torch.where(self.std > 0, self.std, torch.inf)


def fact_statistics(
    low: Float[Tensor, "study fact"], high: Float[Tensor, "study fact"]
) -> FactStatistics:
    """Return mean and deviation of each column over the reports that state it."""
    known = low.isfinite()
    middle = torch.where(known, (low + high) / 2, 0.0).double()
    count = known.sum(0)
    mean = middle.sum(0) / count.clamp_min(1)
    spread = torch.where(known, (middle - mean).square(), 0.0).sum(0) / count.clamp_min(1)
    std = torch.where(count >= MIN_STATED, spread.sqrt(), 0.0)
    return FactStatistics(mean.float(), std.float())


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Squared error of standardised facts; what a report leaves open is masked.

    With [a, b] the interval that a report allows for a fact, m and s the mean and the standard
    deviation of the training reports, and p the guess in units of s from m,

        error = max(0, (a - m)/s - p) + max(0, p - (b - m)/s)

        loss = mean of error^2

    over all facts that the reports of all ranks state. Guessing the means costs 1 over the training
    reports where they state numbers, by definition of s; knowing everything costs 0. A column that
    never differs is left out.

    Regression and no classification: cross-entropy on presence learned nothing for hundreds of
    steps in which the squared error of how much there is found the places (docs/why/log.md).
    """

    def __call__(
        self,
        guess: Float[Tensor, "study fact"],
        low: Float[Tensor, "study fact"],
        high: Float[Tensor, "study fact"],
        statistics: FactStatistics,
    ) -> Float[Tensor, ""]:
        """Average over the facts that are known; every rank gets the same value.

        Args:
            guess: Standardised.
            low: The least that each report allows, in the fact's unit; NaN where it is silent.
            high: The most.
            statistics: Of the training reports.
        """
        precision = torch.promote_types(guess.dtype, torch.float32)
        guess, known = guess.to(precision), low.isfinite() & (statistics.std > 0)
        bottom = statistics.standardised(low.nan_to_num())
        top = statistics.standardised(high.nan_to_num())
        error = (bottom - guess).relu() + (guess - top).relu()
        total = sum_over_ranks(torch.where(known, error, 0.0).square().sum())
        return total / sum_over_ranks(known.sum().to(precision)).clamp_min(1.0)
