"""Video paths of a manifest: below the video root, and nothing but paths."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import UserError
from data.table import Table

REFUSALS = (
    (r"[\x00-\x1f\x7f]", "holds a line break or another control character"),
    (r"^[A-Za-z][A-Za-z0-9+.\-]+:", "is a URL or a protocol; only files can be read"),
    (r"^-", "starts with a dash, which a program could take for an option"),
    (r"\$\(|\$\{|`|^\||\|$", "holds shell syntax"),
    (r"(?:^|[/\\])\.\.(?:[/\\]|$)", "leads out of a folder with '..'"),
)
"""Patterns of paths that are refused, and why. Nothing here is ever given to a shell; a path of
these kinds is a mistake or an attack."""


def checked_paths(
    table: Table, column: str, cells: "pd.Series[str]", root: Path, allow_outside: bool
) -> list[Path | None]:
    """Return the absolute path of every row's video, None where the cell is empty.

    Nothing is opened.

    Raises:
        UserError: A path is none, or is not below ``root``; the message has the row, not the path.
    """
    for pattern, problem in REFUSALS:
        _refuse_first(table, column, cells.str.contains(pattern, regex=True), problem)
    below = str(root)
    absolute = cells.str.startswith("/").to_numpy(bool)
    inside = (cells.str.startswith(below.rstrip("/") + "/")).to_numpy(bool)
    if not allow_outside:
        _refuse_first(
            table,
            column,
            absolute & ~inside,
            "is absolute and not below the video root; set data.video_root, or "
            "data.allow_outside to true",
        )
    return [Path(root, cell) if cell else None for cell in cells.tolist()]


def check_links(
    table: Table, column: str, paths: Sequence[Path | None], root: Path, allow_outside: bool
) -> None:
    """Refuse symbolic links that lead out of the video root.

    One look at each folder, not at each file.

    Raises:
        UserError: A file or a folder is a link to somewhere else.
    """
    if allow_outside:
        return
    real_root = Path(os.path.realpath(root))
    folders: dict[str, set[str] | None] = {}
    for row, path in enumerate(paths):
        if path is None:
            continue
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _links(folder, real_root)
        links = folders[folder]
        leads_out = links is None or (
            name in links and not Path(os.path.realpath(path)).is_relative_to(real_root)
        )
        if leads_out:
            problem = "is a link that leads out of the video root; set data.allow_outside to true"
            raise UserError(f"{table.path}: {table.where(row)}, column {column!r}: {problem}")


def _links(folder: str, real_root: Path) -> set[str] | None:
    """Return which files of a folder are links; None where the folder itself leads out."""
    if not Path(os.path.realpath(folder)).is_relative_to(real_root):
        return None
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_symlink()}
    except OSError:
        return set()  # a missing folder is found, and counted, when its videos are decoded


def _refuse_first(
    table: Table, column: str, wrong: "pd.Series[bool] | np.ndarray", why: str
) -> None:
    rows = np.flatnonzero(np.asarray(wrong, bool))
    if len(rows):
        where = table.where(int(rows[0]))
        raise UserError(f"{table.path}: {where}, column {column!r}: the path {why}")
