"""Latent captioning in the table of projects."""

from cinelex.config.schema import DataConfig
from cinelex.projects.interface.project import Entry
from cinelex.projects.latent.parts import build_latent_captioner
from cinelex.projects.latent.project import open_latent, rehearse_latent
from cinelex.projects.latent.terms import TERMS
from cinelex.projects.studies.tables import STUDY_MODES

ENTRY = Entry(
    open=open_latent,
    rehearse=rehearse_latent,
    reads=(
        *("contrastive", "temperature", "learn_temperature", "temperature_range"),
        *("tokenizer", "latent"),
        *(f"data.{key}" for key in DataConfig.model_fields if key != "synthetic"),
        *("model.width", "model.dim", "model.video_encoder", "model.text_encoder"),
        "model.caption_decoder",
    ),
    terms=TERMS,
    modes=STUDY_MODES,
    study_model=build_latent_captioner,
)
