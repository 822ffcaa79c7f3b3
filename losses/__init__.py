"""Losses on plain tensors; each gives the value of the whole global batch on every rank."""

from collections.abc import Callable

from torch import Tensor

from losses.contrastive import InfoNCE
from losses.sigmoid import SigLIP

CONTRASTIVE: dict[str, Callable[..., Callable[..., Tensor]]] = {
    "infonce": InfoNCE,
    "siglip": SigLIP,
}
"""The study-level contrastive losses by their name in a config."""
