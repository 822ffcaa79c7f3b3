"""Which column of a table holds what, from its name or, failing that, from what its cells are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from cinelex.core.errors import UserError
from cinelex.data.tables.names import shown
from cinelex.data.tables.table import Table
from cinelex.data.tables.usual import usual_columns

VIDEOS = frozenset(
    {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif", ".dcm"}
)
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
SAMPLE = 500
"""Rows whose cells are looked at."""
MIN_SHARE = 0.5
"""Share of a column's cells that must be paths of videos or images for it to hold them."""
MIN_WORDS = 4.0
"""Words of an average cell in a column of reports that no name gives away."""

KINDS = {
    "study": ("study", "study_uid", "accession", "other_id"),
    "video": ("video",),
    "report": ("report", "caption", "label"),
    "split": ("split",),
    "patient": ("patient",),
    "view": ("view",),
    "primary_angle": ("primary_angle",),
    "secondary_angle": ("secondary_angle",),
}
"""What may hold each thing that a manifest has; see ``data.tables.usual``."""


@dataclass(frozen=True)
class Guess:
    """A column and why it is taken."""

    name: str
    why: str


def guess_columns(table: Table) -> dict[str, Guess]:
    """Return the column of each thing that a table has.

    Raises:
        UserError: There is no column of paths or none of text, or no header.
    """
    if not any(shown(name, wanted=KINDS) for name in table.names):
        raise UserError(
            f"{table.path}: has no header that names a usual column; write a first line such as "
            "study_id,video_path,report"
        )
    found = dict(_by_name(table))
    paths = {name: share for name in table.names if (share := path_share(table, name)) > 0}
    if "video" not in found or paths.get(found["video"].name, 0) < MIN_SHARE:
        best = max(paths, key=lambda name: paths[name], default=None)
        if best is not None and paths[best] >= MIN_SHARE:
            found["video"] = Guess(best, f"{paths[best]:.0%} of its cells are paths of media")
    if "report" not in found:
        longest = _longest(table, {guess.name for guess in found.values()})
        if longest is not None:
            found["report"] = longest
    _refuse_missing(table, found)
    found.setdefault(
        "study", Guess(found["video"].name, "no column of studies, so each file is one of its own")
    )
    return found


def _longest(table: Table, taken: set[str]) -> Guess | None:
    """Return the column of the longest texts, where some are as long as a report."""
    lengths = {name: _words(table, name) for name in table.names if name not in taken}
    best = max(lengths, key=lambda name: lengths[name], default=None)
    if best is None or lengths[best] < MIN_WORDS:
        return None
    return Guess(best, f"the longest texts, {lengths[best]:.0f} words a cell")


def guess_text(table: Table) -> Guess:
    """Return the column of reports of a table that may have no videos.

    Raises:
        UserError: There is none.
    """
    found = dict(_by_name(table)).get("report") or _longest(table, set())
    if found is None:
        raise UserError(f"{table.path}: no column of reports; call one of them report")
    return found


def text_of(table: Table, name: str) -> list[str]:
    """Return all cells of a column."""
    return [cell or "" for cell in table.column(name).cast(pa.large_string()).to_pylist()]


def _by_name(table: Table) -> Iterator[tuple[str, Guess]]:
    for role, kinds in KINDS.items():
        for name in usual_columns(table.names, *kinds)[:1]:
            yield role, Guess(name, "by its name")


def _refuse_missing(table: Table, found: Mapping[str, Guess]) -> None:
    what = {"video": "paths of videos or images", "report": "reports"}
    for role, meaning in what.items():
        if role not in found:
            have = [name for name in table.names if shown(name, wanted=())]
            raise UserError(
                f"{table.path}: no column of {meaning} among {', '.join(have) or 'its columns'}; "
                f"rename the one that holds them to {role}"
            )


def path_share(table: Table, name: str) -> float:
    """Return the share of a column's first cells that end like files of videos or images."""
    cells = _first(table, name)
    ends = [PurePosixPath(cell.strip()).suffix.lower() for cell in cells if cell.strip()]
    return sum(end in VIDEOS | IMAGES for end in ends) / len(ends) if ends else 0.0


def are_images(table: Table, name: str) -> bool:
    """Return whether most of a column's files are still images."""
    ends = [PurePosixPath(cell.strip()).suffix.lower() for cell in _first(table, name)]
    return sum(end in IMAGES for end in ends) > len(ends) / 2


def _words(table: Table, name: str) -> float:
    cells = _first(table, name)
    return sum(len(cell.split()) for cell in cells) / max(1, len(cells))


def _first(table: Table, name: str) -> list[str]:
    cells = table.cells[table.names.index(name)].slice(0, SAMPLE).cast(pa.large_string())
    return [cell or "" for cell in cells.to_pylist()]
