"""Probing in the table of projects."""

from cinelex.core.later import later
from cinelex.projects.interface.project import Entry
from cinelex.projects.probing.terms import TERMS

ENTRY = Entry(
    open=later("cinelex.projects.probing.project:open_probing"),
    rehearse=later("cinelex.projects.probing.project:rehearse_probing"),
    reads=(
        *("data", "probing", "features", "facts.silence"),
        *(f"tokenizer.{key}" for key in ("kind", "vocab_size", "max_tokens", "path")),
        *("model.width", "model.video_encoder", "model.video_lora"),
    ),
    terms=TERMS,
)
