"""Squared error of parameters of several kinds, in which no kind drowns another."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True, kw_only=True)
class GroupedError:
    """Mean over groups of the squared error of their parameters, each in units of its variance.

    With guesses v, targets u, weights w of each sample's parameter, and the parameter's variance
    V under the same weights:

        loss = mean over groups of mean over their parameters k of
               [ sum_i w_ik (v_ik - u_ik)^2 / sum_i w_ik ] / V_k

    over the samples of all ranks. The best constant costs 1 on the data that V was measured on,
    whatever the units, and so does the best constant of each group. Where a parameter has no
    weight in a batch, it costs 0.
    """

    groups: Sequence[Sequence[int]]
    """Places of the parameters of each group; every parameter is in one."""
    mean: Sequence[float]
    """Weighted mean of each parameter: the best constant."""
    variance: Sequence[float]
    """Weighted variance of each parameter around it; positive."""

    def __post_init__(self) -> None:
        """Refuse groups that miss a parameter, and parameters that never change."""
        indices = sorted(index for group in self.groups for index in group)
        if indices != list(range(len(self.variance))) or len(self.mean) != len(self.variance):
            raise ValueError(
                f"groups must hold each of {len(self.variance)} parameters once, got {indices}"
            )
        still = [index for index, value in enumerate(self.variance) if not value > 0]
        if still:
            raise ValueError(f"parameters {still} never change, so their error has no unit")

    def __call__(
        self,
        guess: Float[Tensor, "sample parameter"],
        target: Float[Tensor, "sample parameter"],
        weight: Float[Tensor, "sample parameter"],
    ) -> Float[Tensor, ""]:
        """Average over the samples of all ranks; every rank gets the same value."""
        each = self.each(guess, target, weight)
        return torch.stack([each[list(group)].mean() for group in self.groups]).mean()

    def each(
        self,
        guess: Float[Tensor, "sample parameter"],
        target: Float[Tensor, "sample parameter"],
        weight: Float[Tensor, "sample parameter"],
    ) -> Float[Tensor, " parameter"]:
        """Return the error of each parameter in units of its variance, over all ranks."""
        precision = torch.promote_types(guess.dtype, torch.float32)
        guess, target, weight = (part.to(precision) for part in (guess, target, weight))
        error = sum_over_ranks((weight * (guess - target).square()).sum(dim=0))
        total = sum_over_ranks(weight.sum(dim=0))
        variance = torch.tensor(self.variance, dtype=precision, device=guess.device)
        return error / total.clamp_min(torch.finfo(precision).tiny) / variance

    @torch.no_grad()
    def chance(
        self, target: Float[Tensor, "sample parameter"], weight: Float[Tensor, "sample parameter"]
    ) -> Float[Tensor, ""]:
        """Return the loss of a guess that knows only the means; 1 but for the batch's chance."""
        mean = torch.tensor(self.mean, dtype=target.dtype, device=target.device)
        return self(mean.expand_as(target), target, weight)


def weighted_moments(
    values: Float[Tensor, "sample parameter"], weight: Float[Tensor, "sample parameter"]
) -> tuple[Float[Tensor, " parameter"], Float[Tensor, " parameter"]]:
    """Return the weighted mean and variance of each parameter, in float64."""
    values, weight = values.double(), weight.double()
    total = weight.sum(dim=0)
    mean = (weight * values).sum(dim=0) / total
    return mean, (weight * (values - mean).square()).sum(dim=0) / total
