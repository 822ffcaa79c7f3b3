"""Multitask pretraining in the table of projects."""

from cinelex.core.later import later
from cinelex.projects.interface.project import Entry
from cinelex.projects.multitask.terms import TERMS
from cinelex.projects.studies.modes import STUDY_MODES

ENTRY = Entry(
    open=later("cinelex.projects.multitask.project:open_multitask"),
    rehearse=later("cinelex.projects.multitask.rehearsal:rehearse_multitask"),
    reads=(
        *("contrastive", "temperature", "learn_temperature", "temperature_range"),
        *("data", "tokenizer", "facts", "masked_modeling", "model", "features"),
    ),
    terms=TERMS,
    modes=STUDY_MODES,
    study_model=later("cinelex.projects.studies.parts:build_video_text"),
    plan=later("cinelex.projects.multitask.planned:planned_step"),
)
