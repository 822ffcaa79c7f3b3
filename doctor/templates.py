"""Where all pages find their templates, how these are filled in, and the tiles at the top."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cinelex.core.files import write_whole

NAMES: Final = {"auroc": "AUROC", "benjamini_hochberg": "Benjamini-Hochberg"}
"""Columns of tables that are names, with capitals of their own."""


@dataclass(frozen=True)
class Tile:
    """A headline number with its null and its interval."""

    label: str
    value: str
    null: str
    interval: str
    verdict: str
    significant: bool | None
    """Whether it is beyond its null; None if nobody can say."""


@cache
def environment(*own: Path) -> Any:
    """Return jinja's environment over this folder and others; only HTML is escaped."""
    import jinja2  # here, because it takes a second

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*own, Path(__file__).parent]),
        autoescape=jinja2.select_autoescape(
            disabled_extensions=("md.jinja", "txt.jinja"), default=True, default_for_string=True
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["heading"] = heading
    return made


def heading(column: str) -> str:
    """Return what a page writes above a column of a table: ``with_it`` is ``With it``."""
    return NAMES.get(column, column.replace("_", " ").capitalize())


def write_page(path: Path, template: str, *own: Path, **values: Any) -> Path:
    """Fill in a template, write it whole or not at all, and return its path."""
    write_whole(path, environment(*own).get_template(template).render(**values))
    return path
