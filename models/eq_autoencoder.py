"""Equalizer settings to a latent and back: the trained module of semantic EQ."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

RESPONSE_SCALE_DB = 12.0
"""What a response is divided by before the encoder reads it."""


@dataclass(frozen=True)
class EqOutputs:
    """What a batch of settings becomes."""

    latent: Float[Tensor, "setting dim"]
    """One row a setting; what is contrasted is its direction."""
    units: Float[Tensor, "setting parameter"]
    """The settings rebuilt, as shares of their ranges in (0, 1)."""

    @property
    def direction(self) -> Float[Tensor, "setting dim"]:
        """Return the unit rows that are contrasted."""
        return F.normalize(self.latent, dim=-1)


class EqAutoencoder(nn.Module):
    """Reads a setting and its response curve, and writes the setting from a small latent.

    Every number that it writes comes from a sigmoid: whatever the latent, no parameter can be
    outside its range. Gains, frequencies and quality factors have a head each.
    """

    def __init__(
        self, *, groups: Sequence[Sequence[int]], points: int, dim: int, width: int, depth: int
    ) -> None:
        """Build encoder, decoder and heads.

        Args:
            groups: Positions of the parameters that each head writes.
            points: Points of a response curve.
            dim: Dimension of a latent.
            width: Units of a hidden layer.
            depth: Hidden layers of the encoder, and of the decoder.
        """
        super().__init__()
        indices = [index for group in groups for index in group]
        if sorted(indices) != list(range(len(indices))):
            raise ValueError(f"groups must hold each parameter once, got {indices}")
        self.dim = dim
        self.encoder = nn.Sequential(
            *_layers(len(indices) + points, width, depth), nn.Linear(width, dim)
        )
        self.decoder = nn.Sequential(*_layers(dim, width, depth))
        self.heads = nn.ModuleList(nn.Linear(width, len(group)) for group in groups)
        self.order = sorted(range(len(indices)), key=lambda position: indices[position])

    def forward(
        self, units: Float[Tensor, "setting parameter"], response: Float[Tensor, "setting point"]
    ) -> EqOutputs:
        """Encode settings with their responses in dB, and write the settings again."""
        latent = self.encode(units, response)
        return EqOutputs(latent, self.decode(latent))

    def encode(
        self, units: Float[Tensor, "setting parameter"], response: Float[Tensor, "setting point"]
    ) -> Float[Tensor, "setting dim"]:
        """Return the latents of settings, given as shares of their ranges, and responses in dB."""
        curve = response / RESPONSE_SCALE_DB
        latent: Tensor = self.encoder(torch.cat([units - 0.5, curve], dim=1))
        return latent

    def decode(self, latent: Float[Tensor, "setting dim"]) -> Float[Tensor, "setting parameter"]:
        """Return settings as shares of their ranges."""
        hidden = self.decoder(latent)
        written = torch.cat([head(hidden) for head in self.heads], dim=1)
        return written[:, self.order].float().sigmoid()


def _layers(inputs: int, width: int, depth: int) -> list[nn.Module]:
    """Return hidden layers with a normalised input and a smooth nonlinearity."""
    sizes = [inputs, *[width] * depth]
    return [
        layer
        for before, after in zip(sizes, sizes[1:], strict=False)
        for layer in (nn.Linear(before, after), nn.LayerNorm(after), nn.GELU())
    ]
