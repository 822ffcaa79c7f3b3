"""Image-text pretraining in the table of projects."""

from cinelex.config.schema import DataConfig
from cinelex.projects.clipse.project import open_clipse, rehearse_clipse
from cinelex.projects.clipse.tables import MODES
from cinelex.projects.clipse.terms import TERMS
from cinelex.projects.interface.project import Entry

OF_STUDIES = ("synthetic", "max_videos", "sampling")
"""Keys below ``data`` that are about studies of several videos, and not about reading files."""

ENTRY = Entry(
    open=open_clipse,
    rehearse=rehearse_clipse,
    reads=(
        *("clipse", "temperature", "learn_temperature", "temperature_range"),
        *(f"data.{key}" for key in DataConfig.model_fields if key not in OF_STUDIES),
        *("tokenizer", "model", "features"),
    ),
    terms=TERMS,
    modes=MODES,
)
