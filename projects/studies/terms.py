"""The loss terms that several projects of studies and reports have."""

from cinelex.projects.interface.terms import TEMPERATURE_KEYS, Term

CONTRAST_KEYS = (*TEMPERATURE_KEYS, "contrastive", "batch", "model.dim")
"""What changes the unit of a contrast between studies and reports."""

CAPTIONING = Term(
    name="captioning",
    label="Captioning loss",
    unit="nats per token, padding left out",
    unit_keys=("tokenizer",),
)
