"""Losses on plain tensors; each gives the value of the whole global batch on every rank."""

from losses.contrastive import InfoNCE
from losses.sigmoid import SigLIP

CONTRASTIVE: dict[str, type[InfoNCE] | type[SigLIP]] = {"infonce": InfoNCE, "siglip": SigLIP}
"""The study-level contrastive losses by their name in a config."""
