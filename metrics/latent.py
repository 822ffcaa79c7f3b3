"""What a batch of latents looks like: its level, which cannot see collapse, and its geometry."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

LEVEL = ("mean", "std", "norm", "min", "max")
"""Statistics over all numbers of a batch. A batch whose rows are all alike can have the values of a
healthy one."""
GEOMETRY = ("batch_std", "rankme", "cosine", "uniformity")
"""Statistics of how rows differ."""


def latent_statistics(rows: Float[Tensor, "row latent"]) -> dict[str, Float[Tensor, ""]]:
    """Return ``LEVEL`` and ``GEOMETRY`` of a batch, in float64, without waiting for the device.

    ``norm``: mean length of a row. ``batch_std``: mean over the numbers of a latent of their
    standard deviation over rows; 0 at collapse. ``rankme``, ``cosine`` and ``uniformity`` are those
    of ``metrics.representation``: 1, 1 and 0 at collapse. Unlike there nothing is refused, so that
    a sick batch is recorded and training goes on: what has no value, as the directions of zero
    rows, is NaN.
    """
    exact = rows.detach().double()
    products, unit = exact @ exact.T, exact / exact.norm(dim=1, keepdim=True)
    cosines = unit @ unit.T
    apart = ~torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    others = cosines.masked_fill(~apart, 0.0).sum() / apart.sum()
    closeness = torch.where(apart, (4 * cosines - 4).exp(), 0.0).sum() / apart.sum()
    return {
        "mean": exact.mean(),
        "std": exact.std(correction=0),
        "norm": exact.norm(dim=1).mean(),
        "min": exact.min(),
        "max": exact.max(),
        "batch_std": exact.std(dim=0, correction=0).mean(),
        "rankme": _rankme(products),
        "cosine": others,
        "uniformity": closeness.log(),
    }


def _rankme(products: Float[Tensor, "row row"]) -> Float[Tensor, ""]:
    """Return exp of the entropy of the singular values' shares, from the rows' products."""
    values = torch.linalg.eigvalsh(products.where(products.isfinite(), 0.0)).clamp_min(0).sqrt()
    share = values / values.sum()
    whole = torch.isfinite(products).all()
    return torch.where(whole, torch.special.entr(share).sum().exp(), torch.nan)


@dataclass(frozen=True, kw_only=True)
class BiasLevel:
    """The level of latents that are nothing but the bias of the layer that makes them.

    torch draws the bias of a linear layer evenly from ±1/sqrt(fan_in), and an encoder that says
    nothing leaves it alone on the output.
    """

    std: float
    """1/sqrt(3 fan_in)."""
    norm: float
    """sqrt(latent / (3 fan_in))."""
    max_over_std: float
    """sqrt(3), a little less for few numbers."""


def bias_level(*, latent: int, fan_in: int) -> BiasLevel:
    """Return the level of a bias of ``latent`` numbers, each drawn from ±1/sqrt(``fan_in``).

    Raises:
        ValueError: A number is below 1.

    Source: torch.nn.Linear, reset_parameters; variance of a uniform distribution.
    """
    if latent < 1 or fan_in < 1:
        raise ValueError(f"latent and fan_in must be at least 1, got {latent} and {fan_in}")
    return BiasLevel(
        std=1 / math.sqrt(3 * fan_in),
        norm=math.sqrt(latent / (3 * fan_in)),
        max_over_std=math.sqrt(3) * latent / (latent + 1),
    )
