"""The loss terms of latent captioning."""

from cinelex.projects.interface.terms import Term, by_name
from cinelex.projects.studies.contrast import study_contrast
from cinelex.projects.studies.terms import CAPTIONING, CONTRAST_KEYS

TERMS = by_name(
    Term(
        name="alignment",
        label="Alignment loss",
        unit="nats per study",
        matches=True,
        contrast=study_contrast,
        unit_keys=CONTRAST_KEYS,
    ),
    CAPTIONING,
    Term(
        name="reconstruction",
        label="Reconstruction loss",
        unit="squared error of normalised pixels",
        unit_keys=("data.size", "data.channels", "data.frames"),
    ),
)
