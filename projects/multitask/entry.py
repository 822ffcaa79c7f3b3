"""Multitask pretraining in the table of projects."""

from cinelex.projects.interface.project import Entry
from cinelex.projects.multitask.project import open_multitask
from cinelex.projects.multitask.rehearsal import rehearse_multitask
from cinelex.projects.multitask.terms import TERMS
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.tables import STUDY_MODES

ENTRY = Entry(
    open=open_multitask,
    rehearse=rehearse_multitask,
    reads=(
        *("contrastive", "temperature", "learn_temperature", "temperature_range"),
        *("data", "tokenizer", "facts", "model", "features"),
    ),
    terms=TERMS,
    modes=STUDY_MODES,
    study_model=build_video_text,
)
