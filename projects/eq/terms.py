"""The loss terms of semantic EQ."""

from cinelex.projects.interface.contrast import INFONCE
from cinelex.projects.interface.terms import TEMPERATURE_KEYS, Term, by_name

_SETTINGS = ("eq.file", "eq.synthetic", "eq.min_settings", "eq.ignored", "eq.folds")
"""What decides the training settings, whose variance is the unit of their parameters."""

TERMS = by_name(
    Term(
        name="parameters",
        label="Parameter loss",
        unit="squared error in the variance of the training settings",
        unit_keys=_SETTINGS,
    ),
    Term(
        name="response",
        label="Response loss",
        unit="dB²",
        unit_keys=("eq.points",),
    ),
    Term(
        name="descriptors",
        label="Descriptor loss",
        unit="nats per setting",
        contrast=lambda config: INFONCE,
        unit_keys=(*TEMPERATURE_KEYS, "batch", "eq.dim"),
    ),
)
