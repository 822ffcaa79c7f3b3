"""Latent head: the tokens of a picture, squeezed and read position by position."""

import math

from torch import nn

from cinelex.models.blocks import start_level
from cinelex.models.contracts import LatentHead
from cinelex.models.shapes import ClipTokens, Latents


class PositionLatent(LatentHead):
    """Squeeze each token, put all behind one another, and map them linearly to the latent.

    Every position has its own weights, so that the latent can say where something is. There is no
    bias: where the encoder says nothing the latent is 0, and it cannot collapse to a bias.
    """

    def __init__(
        self, *, width: int, grid: tuple[int, int, int], latent: int, squeeze: int = 32
    ) -> None:
        """Make the two matrices.

        Args:
            width: Embedding dimension of a token.
            grid: Tokens along frames, rows and columns.
            latent: Dimension of the latent.
            squeeze: Dimensions that are kept of each token.
        """
        super().__init__()
        self.latent, self.fan_in = latent, squeeze * math.prod(grid)
        self.squeeze = nn.Linear(width, squeeze)
        self.to_latent = nn.Linear(self.fan_in, latent, bias=False)
        start_level(self)

    def forward(self, tokens: ClipTokens) -> Latents:
        """Return one latent a picture."""
        return self.to_latent(self.squeeze(tokens).flatten(1))
