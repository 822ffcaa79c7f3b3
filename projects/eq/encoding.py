"""Whole splits of settings in the three spaces that semantic EQ compares: latent, units, curves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from cinelex.data.eq.codec import EqUnits
from cinelex.data.eq.dataset import EqDataset
from cinelex.models.eq_autoencoder import EqAutoencoder

Curves = Callable[[Tensor], Tensor]
"""From settings as shares of their ranges to their responses in dB."""
AT_ONCE = 4096
"""Settings that are encoded at once."""


@dataclass(frozen=True)
class EqSpace:
    """A split in its three spaces, on the CPU."""

    latent: Float[Tensor, "setting dim"]
    units: Float[Tensor, "setting parameter"]
    curves: Float[Tensor, "setting point"]
    """Responses in dB."""
    labels: Bool[Tensor, "setting descriptor"]

    @property
    def direction(self) -> Float[Tensor, "setting dim"]:
        """Return the unit rows that are contrasted."""
        return F.normalize(self.latent, dim=-1)

    @property
    def shapes(self) -> Float[Tensor, "setting point"]:
        """Return the curves without their mean: what is left when loudness is made equal."""
        return self.curves - self.curves.mean(dim=1, keepdim=True)

    def having(self, descriptor: int) -> Bool[Tensor, " setting"]:
        """Return which settings have a descriptor."""
        return self.labels[:, descriptor]


@torch.no_grad()
def encode_split(model: EqAutoencoder, dataset: EqDataset, curves: Curves) -> EqSpace:
    """Return a whole split, in its order; every rank encodes all of it, which takes a moment."""
    device = next(model.parameters()).device
    latents, responses = [], []
    for units in dataset.units.split(AT_ONCE):
        response = curves(units.to(device))
        latents.append(model.encode(units.to(device), response).float().cpu())
        responses.append(response.cpu())
    return EqSpace(torch.cat(latents), dataset.units, torch.cat(responses), dataset.labels)


def prototypes(space: EqSpace) -> Float[Tensor, "descriptor dim"]:
    """Return the mean latent of each descriptor's settings; every descriptor must have one."""
    return class_means(space.latent, space.labels)


def class_means(
    rows: Float[Tensor, "setting dim"], labels: Bool[Tensor, "setting descriptor"]
) -> Float[Tensor, "descriptor dim"]:
    """Return the mean row of the settings of each descriptor."""
    member = labels.to(rows.dtype)
    return member.T @ rows / member.sum(dim=0)[:, None]


def nearest_descriptor(space: EqSpace, centres: Tensor) -> Int[Tensor, " setting"]:
    """Return the descriptor whose centre has the greatest cosine with each setting's latent."""
    return (space.direction @ F.normalize(centres, dim=-1).T).argmax(dim=1)


@torch.no_grad()
def decode_latents(model: EqAutoencoder, latent: Float[Tensor, "setting dim"]) -> EqUnits:
    """Return the settings that latents stand for, on the CPU."""
    device = next(model.parameters()).device
    return EqUnits(model.decode(latent.to(device)).cpu())


def between(ends: Float[Tensor, "end dim"], *, steps: int) -> Float[Tensor, "step dim"]:
    """Return rows evenly spaced on the straight line from the first of two rows to the last."""
    share = torch.linspace(0.0, 1.0, steps, dtype=ends.dtype)[:, None]
    return (1 - share) * ends[0] + share * ends[1]


def morph_units(
    model: EqAutoencoder, space: EqSpace, ends: Sequence[int], *, steps: int
) -> EqUnits:
    """Return the settings on the straight way between the mean latents of two descriptors."""
    return decode_latents(model, between(prototypes(space)[list(ends)], steps=steps))
