"""The loss terms of image-text pretraining."""

from cinelex.projects.interface.contrast import INFONCE
from cinelex.projects.interface.terms import TEMPERATURE_KEYS, Term, by_name

PLAIN = "ce"
"""Plain InfoNCE, recorded for every variant: the one loss that all share."""

_CONTRAST_KEYS = (*TEMPERATURE_KEYS, "batch", "model.dim")

TERMS = by_name(
    Term(
        name="contrastive",
        label="Contrastive loss of the variant",
        unit="nats per image",
        matches=True,
        contrast=lambda config: INFONCE,
        unit_keys=(*_CONTRAST_KEYS, "clipse.negatives", "clipse.affinity"),
    ),
    Term(
        name=PLAIN,
        label="Plain InfoNCE",
        unit="nats per image",
        weighted=False,
        contrast=lambda config: INFONCE,
        unit_keys=_CONTRAST_KEYS,
    ),
)
