"""Losses on plain tensors; each gives the value of the whole global batch on every rank."""

from collections.abc import Callable

from torch import Tensor

from cinelex.losses.balance import Balance, Famo, Fixed, Shares, Uncertainty, UpGrad
from cinelex.losses.comparison import ComparisonLoss
from cinelex.losses.contrastive import InfoNCE
from cinelex.losses.counterparts import FalseNegatives, PlainInfoNCE, SoftTargets
from cinelex.losses.moving_average import MovingAverage
from cinelex.losses.self_weighted import ADNCE, HardNegatives, PercentileNegatives
from cinelex.losses.sigmoid import SigLIP
from cinelex.losses.similarity_aware import adaptive_bandpass, bandpass, debias

CONTRASTIVE: dict[str, Callable[..., Callable[..., Tensor]]] = {
    "infonce": InfoNCE,
    "siglip": SigLIP,
}
"""The study-level contrastive losses by their name in a config."""

BALANCES: dict[str, Callable[..., Balance]] = {
    "fixed": Fixed,
    "shares": Shares,
    "uncertainty": Uncertainty,
    "famo": Famo,
    "upgrad": UpGrad,
}
"""The ways to balance the loss terms by their name in a config."""

NEGATIVES: dict[str, Callable[..., ComparisonLoss]] = {
    "infonce": PlainInfoNCE,
    "debias": debias,
    "bandpass": bandpass,
    "adaptive_bandpass": adaptive_bandpass,
    "hard_negatives": HardNegatives,
    "adnce": ADNCE,
    "percentiles": PercentileNegatives,
    "false_negatives": FalseNegatives,
    "soft_targets": SoftTargets,
    "moving_average": MovingAverage,
}
"""The ways to treat negatives by their name in a config; each scores a whole comparison."""

BY_AFFINITY = ("debias", "bandpass", "adaptive_bandpass", "false_negatives", "soft_targets")
"""Those that ask how alike two studies are."""
