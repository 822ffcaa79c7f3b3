"""Masked modelling of latents: say what a teacher that sees the whole clip makes of each token."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks
from cinelex.losses.masked import mean_over_ranks


@dataclass(frozen=True, kw_only=True)
class LatentModeling:
    """Error of predicted tokens against a teacher's, whose numbers are normalised token by token.

    With p the guess and z the teacher's token, of mean 0 and variance 1 over its numbers,

        loss = mean over tokens of [mean over numbers of e(p - z)]

    over the predicted tokens of all ranks; e(d) is d^2, or smooth L1: d^2 / 2 up to 1 and
    |d| - 1/2 beyond. No gradient reaches the teacher.

    Chance, a guess that knows the mean of each place only: see `chance`. A teacher that makes the
    same of every clip brings both to 0, which is a collapse and no success.

    Source: Bardes et al. 2024, V-JEPA, arXiv:2404.08471, section 3; Assran et al. 2023, I-JEPA,
    arXiv:2301.08243, section 3 (targets, moving average).
    """

    error: Literal["smooth_l1", "squared"] = "smooth_l1"
    """What a wrong number costs."""

    def __call__(
        self,
        predicted: Float[Tensor, "clip predicted width"],
        target: Float[Tensor, "clip predicted width"],
    ) -> Float[Tensor, ""]:
        """Average the error over the predicted tokens of all ranks; the same on every rank."""
        return mean_over_ranks(self._cost(predicted.float(), target.detach().float()))

    @torch.no_grad()
    def chance(self, tokens: Float[Tensor, "clip token width"]) -> Float[Tensor, ""]:
        """Return the loss of guessing the mean of the other clips of all ranks at the same place.

        Args:
            tokens: The teacher's, of every place of each clip, normalised.
        """
        return mean_over_ranks(self._cost(_mean_of_others(tokens), tokens))

    def _cost(
        self,
        predicted: Float[Tensor, "clip predicted width"],
        target: Float[Tensor, "clip predicted width"],
    ) -> Float[Tensor, "clip predicted"]:
        cost = F.smooth_l1_loss if self.error == "smooth_l1" else F.mse_loss
        return cost(predicted, target, reduction="none").mean(-1)


@torch.no_grad()
def spread_of_targets(tokens: Float[Tensor, "clip token width"]) -> Float[Tensor, ""]:
    """Return the squared error of guessing the mean of the other clips at each place.

    It is 0 where the teacher makes the same of every clip, and up to about 2 where tokens of
    different clips have nothing in common.
    """
    return mean_over_ranks((tokens - _mean_of_others(tokens)).square().mean(-1))


def _mean_of_others(
    tokens: Float[Tensor, "clip token width"],
) -> Float[Tensor, "clip token width"]:
    """Return the mean of the other clips of all ranks; 0, the mean of a token, if there is none."""
    clips = sum_over_ranks(tokens.new_tensor(float(len(tokens))))
    return (sum_over_ranks(tokens.sum(0)) - tokens) / (clips - 1).clamp(min=1)
