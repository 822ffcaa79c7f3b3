"""The loss terms of multitask pretraining."""

from cinelex.projects.interface.contrast import INFONCE
from cinelex.projects.interface.terms import TEMPERATURE_KEYS, Term, by_name
from cinelex.projects.studies.contrast import study_contrast
from cinelex.projects.studies.terms import CAPTIONING, CONTRAST_KEYS

TERMS = by_name(
    Term(
        name="contrastive",
        label="Contrastive loss",
        unit="nats per study",
        matches=True,
        contrast=study_contrast,
        unit_keys=CONTRAST_KEYS,
    ),
    CAPTIONING,
    Term(
        name="masked_modeling",
        label="Masked modelling loss",
        unit="error of hidden, normalised pixels, or of a teacher's tokens",
        unit_keys=(
            *("masked_modeling", "model.mask_ratio", "model.masked_clips", "model.video_encoder"),
            *("data.size", "data.channels", "data.frames"),
        ),
    ),
    Term(
        name="facts",
        label="Fact loss",
        unit="squared error in variances of the training reports' facts",
        unit_keys=("facts.vocabulary", "facts.silence"),
    ),
    Term(
        name="counterfactual",
        label="Counterfactual loss",
        unit="nats per study",
        unit_keys=(*TEMPERATURE_KEYS, "facts.vocabulary"),
    ),
    Term(
        name="views",
        label="View loss",
        unit="nats per clip of a known view",
        unit_keys=("model.aggregator",),
    ),
    Term(
        name="patch_contrastive",
        label="Patch contrastive loss",
        unit="nats per study",
        contrast=lambda config: INFONCE,
        unit_keys=CONTRAST_KEYS,
    ),
)
