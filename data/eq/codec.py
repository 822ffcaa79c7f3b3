"""From physical parameters to numbers in [0, 1] and back: the only place where that is done.

The two forms are two types. Only `EqSettings` can be encoded and only `EqUnits` can be decoded, so
that neither can happen twice; targets that were normalised and outputs that were not, or outputs
denormalised a second time, cannot be written down.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.data.eq.parameters import PARAMETERS


@dataclass(frozen=True)
class EqUnits:
    """Settings as shares of each parameter's own range, all in [0, 1].

    gain       u = (g + 12) / 24
    frequency  u = ln(f / lo) / ln(hi / lo), with the band's own lo and hi
    Q          u = ln(Q / 0.1) / ln 100
    """

    values: Float[Tensor, "setting parameter"]
    """In the order of ``PARAMETERS``."""

    def decode(self) -> "EqSettings":
        """Return the settings in dB, Hz and as quality factors, never outside their ranges.

        Numbers outside [0, 1], which rounding may leave, count as its ends.
        """
        share = self.values.clamp(0.0, 1.0)
        low, high, logarithmic = _ranges(share)
        linear = low + share * (high - low)
        base = torch.where(logarithmic, low, 1.0)
        octaves = base * (share * (high / base).log().where(logarithmic, 0.0)).exp()
        # rounding may step over an end by one unit in the last place
        return EqSettings(torch.where(logarithmic, octaves, linear).clamp(low, high))


@dataclass(frozen=True)
class EqSettings:
    """Settings in physical units: gains in dB, frequencies in Hz, quality factors."""

    values: Float[Tensor, "setting parameter"]
    """In the order of ``PARAMETERS``."""

    def encode(self) -> EqUnits:
        """Return the settings as shares of their ranges.

        Raises:
            ValueError: A value is outside its range, or not a number.
        """
        low, high, logarithmic = _ranges(self.values)
        inside = (self.values >= low) & (self.values <= high)
        if not bool(inside.all()):
            column = int((~inside).any(dim=0).nonzero()[0])
            item = PARAMETERS[column]
            ends = f"[{item.low:g}, {item.high:g}] {item.unit}".rstrip()
            raise ValueError(f"{item.name} must be in {ends}")
        base = torch.where(logarithmic, low, 1.0)
        ratio = self.values.where(logarithmic, 1.0) / base
        octaves = ratio.log() / (high / base).log().where(logarithmic, 1.0)
        linear = (self.values - low) / (high - low)
        return EqUnits(torch.where(logarithmic, octaves, linear).clamp(0.0, 1.0))


def _ranges(like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the least and the greatest value of each parameter, and where the scale is in logs."""
    low, high = like.new_tensor([(item.low, item.high) for item in PARAMETERS]).unbind(1)
    logs = torch.tensor([item.kind != "gain" for item in PARAMETERS], device=like.device)
    return low, high, logs
