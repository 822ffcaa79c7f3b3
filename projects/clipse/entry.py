"""Image-text pretraining in the table of projects."""

from cinelex.config.schema import DataConfig
from cinelex.core.later import later
from cinelex.projects.clipse.terms import TERMS
from cinelex.projects.interface.project import Entry, RunMode
from cinelex.projects.studies.modes import MERGE

OF_STUDIES = ("synthetic", "max_videos", "sampling")
"""Keys below ``data`` that are about studies of several videos, and not about reading files."""

MODES = {
    "inference": RunMode(
        help="find the nearest captions of test images",
        run=later("cinelex.projects.clipse.tables:describe"),
    ),
    "embed": RunMode(
        help="write the embeddings of images and captions",
        run=later("cinelex.projects.clipse.tables:embed"),
    ),
    "merge": MERGE,
}
"""What a trained model can be used for."""

ENTRY = Entry(
    open=later("cinelex.projects.clipse.project:open_clipse"),
    rehearse=later("cinelex.projects.clipse.project:rehearse_clipse"),
    reads=(
        *("clipse", "temperature", "learn_temperature", "temperature_range"),
        *(f"data.{key}" for key in DataConfig.model_fields if key not in OF_STUDIES),
        *("tokenizer", "model", "features"),
    ),
    terms=TERMS,
    modes=MODES,
    study_model=later("cinelex.projects.studies.parts:build_video_text"),
    plan=later("cinelex.projects.multitask.planned:planned_step"),
)
