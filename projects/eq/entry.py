"""Semantic EQ in the table of projects."""

from cinelex.projects.eq.making import MODES
from cinelex.projects.eq.project import open_eq, rehearse_eq
from cinelex.projects.eq.terms import TERMS
from cinelex.projects.interface.project import Entry

ENTRY = Entry(
    open=open_eq,
    rehearse=rehearse_eq,
    reads=("eq", "temperature", "data.cache"),
    terms=TERMS,
    modes=MODES,
)
