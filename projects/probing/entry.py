"""Probing in the table of projects."""

from cinelex.projects.interface.project import Entry
from cinelex.projects.probing.project import open_probing, rehearse_probing
from cinelex.projects.probing.terms import TERMS

ENTRY = Entry(
    open=open_probing,
    rehearse=rehearse_probing,
    reads=(
        *("data", "tokenizer", "probing", "features", "facts.silence"),
        *("model.width", "model.video_encoder", "model.video_lora"),
    ),
    terms=TERMS,
)
