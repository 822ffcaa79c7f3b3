"""Video paths of a manifest: below the video root, and nothing but paths."""

import os
from pathlib import Path

import pandas as pd

from cinelex.data.studies.table import Table

REFUSALS = (
    (r"[\x00-\x1f\x7f]", "holds a line break or another control character"),
    (r"^[A-Za-z][A-Za-z0-9+.\-]+:", "is a URL or names a protocol; only files can be read"),
    (r"^-", "starts with a dash, which a program could take for an option"),
    (r"\$\(|\$\{|`|^\||\|$", "holds shell syntax"),
    (r"(?:^|[/\\])\.\.(?:[/\\]|$)", "leads out of a folder with '..'"),
)
"""Patterns of paths that are refused, and why. No path is ever given to a shell; one of these kinds
is a mistake or an attack."""


def checked_paths(table: Table, column: str, cells: pd.Series, root: Path) -> list[Path | None]:
    """Return the absolute path of every row's video, None where the cell is empty.

    No file is opened; every folder is looked at once, for links. ``root`` is the absolute folder
    that relative paths are below; the index of ``cells`` holds the rows of the table.

    Raises:
        UserError: A path is none, or is not below ``root``; the message has the row, not the path.
    """
    for pattern, problem in REFUSALS:
        wrong = cells.str.contains(pattern, regex=True)
        table.refuse_first(wrong, column, f"the path {problem}")
    absolute = cells.str.startswith("/")
    outside = absolute & ~cells.str.startswith(str(root).rstrip("/") + "/")
    problem = "the path is absolute and not below the video root; set data.video_root"
    table.refuse_first(outside, column, problem)
    _refuse_links(table, column, cells, root)
    whole = cells.where(absolute, str(root) + "/" + cells)
    there = (cells != "").tolist()
    return [Path(path) if has else None for path, has in zip(whole.tolist(), there, strict=True)]


def _refuse_links(table: Table, column: str, cells: pd.Series, root: Path) -> None:
    """Refuse symbolic links that lead out of the video root, looking once at each folder."""
    real_root = Path(os.path.realpath(root))
    folders = cells.str.extract(r"^(.*/)?[^/]*$", expand=False).fillna("")
    for folder in folders.unique().tolist():
        links = _links(str(root / folder), real_root)
        if links is not None and not links:
            continue
        inside = cells[(folders == folder) & (cells != "")]
        names = inside.str.slice(len(folder))
        for row, name in names[names.isin(list(links))].items() if links else names.items():
            if links is None or not _is_below(root / folder / name, real_root):
                problem = "the path is a link that leads out of the video root"
                raise table.refusal(int(row), column, f"{problem}; set data.video_root")


def _links(folder: str, real_root: Path) -> set[str] | None:
    """Return which files of a folder are links; None where the folder itself leads out."""
    if not _is_below(folder, real_root):
        return None
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_symlink()}
    except OSError:
        return set()  # a missing folder is found, and counted, when its videos are decoded


def _is_below(path: str | Path, real_root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(real_root)
