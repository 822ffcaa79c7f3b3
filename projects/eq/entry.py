"""Semantic EQ in the table of projects."""

from cinelex.core.later import later
from cinelex.projects.eq.terms import TERMS
from cinelex.projects.interface.project import Entry, RunMode

_MAKING = "cinelex.projects.eq.making"

MODES = {
    "inference": RunMode(
        help="name the nearest descriptors of settings", run=later(f"{_MAKING}:describe")
    ),
    "embed": RunMode(help="write the latents of all settings", run=later(f"{_MAKING}:embed")),
    "generate": RunMode(
        help="make the setting that each word describes",
        run=later(f"{_MAKING}:generate"),
        words="warm bright …",
    ),
    "morph": RunMode(
        help="make the settings between two words",
        run=later(f"{_MAKING}:morph"),
        words="warm bright",
    ),
}
"""What a trained model can be used for."""

ENTRY = Entry(
    open=later("cinelex.projects.eq.project:open_eq"),
    rehearse=later("cinelex.projects.eq.project:rehearse_eq"),
    reads=("eq", "temperature", "data.cache"),
    terms=TERMS,
    modes=MODES,
)
