"""Masked modeling loss: fill in the tubelets of pixels that the encoder did not see."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks

STATISTICS = 2
"""Numbers that describe a tubelet beside its pattern: mean and log standard deviation."""


@dataclass(frozen=True, kw_only=True)
class MaskedModeling:
    """Squared error of the hidden tubelets: of their pattern, their mean and their contrast.

    A guess has one number a pixel and two more. With x the pixels of a hidden tubelet, m their
    mean, s = sqrt(var + floor^2), M and D the mean and standard deviation of the whole data and
    floor = contrast_floor * D, the targets are

        pattern (x - m) / s,    brightness (m - M) / D,    contrast ln(s / D)

        loss = mean over tubelets of [mean over pixels of (pattern error)^2
               + statistics_weight * ((brightness error)^2 + (contrast error)^2)]

    over the hidden tubelets of all ranks. Without the last two, a normalised guess could only be
    turned into pixels with the hidden tubelet's own mean and deviation; with them the guess is
    whole, and `to_pixels` needs nothing hidden.

    Chance, a guess that knows averages only: mean of var / s^2 (1 where the tubelets have contrast)
    + statistics_weight * (variance of brightness + variance of contrast); see `chance`. In pixel
    units predicting the mean costs the variance of the pixels.

    Source: He et al. 2022, MAE, arXiv:2111.06377, section 3 ("Reconstruction target").
    """

    data_mean: float = 0.0
    """Mean of all pixels, in the unit of the targets."""
    data_std: float = 1.0
    """Standard deviation of all pixels, in the unit of the targets."""
    contrast_floor: float = 0.05
    """Deviation below which a tubelet counts as flat, as a share of ``data_std``: its noise is not
    blown up to a pattern."""
    statistics_weight: float = 1.0
    """How much the two statistics count beside the pattern."""

    def __post_init__(self) -> None:
        """Refuse numbers that have no meaning."""
        positive = {
            "data_std": self.data_std,
            "contrast_floor": self.contrast_floor,
            "statistics_weight": self.statistics_weight,
        }
        wrong = {name: value for name, value in positive.items() if not 0 < value < float("inf")}
        if wrong:
            raise ValueError(f"masked modeling needs numbers above 0, got {wrong}")

    def __call__(
        self,
        reconstruction: Float[Tensor, "clip hidden output"],
        target_pixels: Float[Tensor, "clip hidden pixel"],
    ) -> Float[Tensor, ""]:
        """Average the error over the hidden tubelets of all ranks; every rank gets the same value.

        Args:
            reconstruction: The guess: pattern, brightness, contrast; one number a pixel and two.
            target_pixels: The pixels of the hidden tubelets, in the order of the guess's pattern.

        Raises:
            ValueError: Nothing is hidden, or the guess has the wrong number of numbers.
        """
        pixels = target_pixels.shape[-1]
        if reconstruction.shape[-1] != pixels + STATISTICS:
            raise ValueError(
                f"a tubelet of {pixels} pixels needs {pixels + STATISTICS} numbers, "
                f"the reconstruction has {reconstruction.shape[-1]}"
            )
        precision = torch.promote_types(reconstruction.dtype, torch.float32)
        target = self.targets(target_pixels.to(precision))
        error = (reconstruction.to(precision) - target).square()
        pattern, statistics = error[..., :pixels].mean(-1), error[..., pixels:].sum(-1)
        return mean_over_ranks(pattern + self.statistics_weight * statistics)

    def targets(
        self, pixels: Float[Tensor, "clip hidden pixel"]
    ) -> Float[Tensor, "clip hidden output"]:
        """Return what a perfect guess would be: pattern, brightness, contrast. No gradient.

        Raises:
            ValueError: Nothing is hidden, so there is nothing to learn from.
        """
        if pixels.shape[1] == 0:
            raise ValueError("no token is hidden; raise the share of tokens that are masked")
        pixels = pixels.detach()
        mean = pixels.mean(-1, keepdim=True)
        floor = self.contrast_floor * self.data_std
        spread = (pixels.var(-1, correction=0, keepdim=True) + floor**2).sqrt()
        brightness = (mean - self.data_mean) / self.data_std
        contrast = (spread / self.data_std).log()
        return torch.cat([(pixels - mean) / spread, brightness, contrast], dim=-1)

    def to_pixels(
        self, reconstruction: Float[Tensor, "clip hidden output"]
    ) -> Float[Tensor, "clip hidden pixel"]:
        """Return the guess in the unit of the pixels; knows nothing of the hidden tubelet."""
        precision = torch.promote_types(reconstruction.dtype, torch.float32)
        pattern, brightness, contrast = reconstruction.to(precision).split(
            [reconstruction.shape[-1] - STATISTICS, 1, 1], dim=-1
        )
        mean = self.data_mean + brightness * self.data_std
        return mean + pattern * contrast.exp() * self.data_std

    @torch.no_grad()
    def chance(self, target_pixels: Float[Tensor, "clip hidden pixel"]) -> Float[Tensor, ""]:
        """Return the loss of a guess that knows only the averages over the hidden tubelets."""
        precision = torch.promote_types(target_pixels.dtype, torch.float32)
        target = self.targets(target_pixels.to(precision))
        pattern, statistics = target[..., :-STATISTICS], target[..., -STATISTICS:]
        average = torch.stack([mean_over_ranks(column) for column in statistics.unbind(-1)])
        spread = (statistics - average).square().sum(-1)
        return mean_over_ranks(pattern.square().mean(-1) + self.statistics_weight * spread)


def mean_over_ranks(values: Float[Tensor, "clip hidden"]) -> Float[Tensor, ""]:
    """Average over the tubelets of all ranks, each tubelet counting the same."""
    count = torch.full_like(values, 1.0).sum().detach()
    return sum_over_ranks(values.sum()) / sum_over_ranks(count)
