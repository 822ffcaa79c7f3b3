"""Reconstruction loss: the picture that a latent stands for must come back."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """Mean squared error over all pixels of the global batch, in squared units of the pixels.

        loss = sum (rebuilt - pixel)² / number of pixels

    Chance is the error of the mean picture, which looks at no latent: the pixels' variance around
    it. The floor is 0, or the noise of the pixels.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix C.2, at a fixed variance.
    """

    def __call__(
        self, rebuilt: Float[Tensor, "clip *pixel"], pixels: Float[Tensor, "clip *pixel"]
    ) -> Float[Tensor, ""]:
        """Compare what was rebuilt with what was there; ranks may differ in pictures."""
        precision = torch.promote_types(rebuilt.dtype, torch.float32)
        error = (rebuilt.to(precision) - pixels.to(precision)).square().sum()
        count = sum_over_ranks(error.new_tensor(float(pixels.numel())))
        return sum_over_ranks(error) / count
