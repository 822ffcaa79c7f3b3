"""Squared distance of curves."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True)
class CurveError:
    """Mean over samples and points of the squared difference of two curves, in their squared unit.

    For responses in dB the loss is in dB^2, and its root is the mean error in dB. The best
    constant curve, the mean one, costs the mean variance of a point.
    """

    def __call__(
        self, guess: Float[Tensor, "sample point"], target: Float[Tensor, "sample point"]
    ) -> Float[Tensor, ""]:
        """Average over the samples of all ranks; every rank gets the same value."""
        precision = torch.promote_types(guess.dtype, torch.float32)
        error = (guess.to(precision) - target.to(precision)).square()
        count = torch.full_like(error, 1.0).sum().detach()
        return sum_over_ranks(error.sum()) / sum_over_ranks(count)
