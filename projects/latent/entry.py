"""Latent captioning in the table of projects."""

from cinelex.config.schema import DataConfig
from cinelex.core.later import later
from cinelex.projects.interface.project import Entry
from cinelex.projects.latent.terms import TERMS
from cinelex.projects.studies.modes import STUDY_MODES

ENTRY = Entry(
    open=later("cinelex.projects.latent.project:open_latent"),
    rehearse=later("cinelex.projects.latent.project:rehearse_latent"),
    reads=(
        *("contrastive", "temperature", "learn_temperature", "temperature_range"),
        *("tokenizer", "latent"),
        *(f"data.{key}" for key in DataConfig.model_fields if key != "synthetic"),
        *("model.width", "model.dim", "model.video_encoder", "model.text_encoder"),
        "model.caption_decoder",
    ),
    terms=TERMS,
    modes=STUDY_MODES,
    study_model=later("cinelex.projects.latent.parts:build_latent_captioner"),
)
