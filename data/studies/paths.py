"""Video paths of a manifest: below the video root, and nothing but paths."""

import posixpath
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from cinelex.data.studies.folders import Folders
from cinelex.data.studies.rows import Rows
from cinelex.data.studies.studies import STORED

REFUSALS = (
    (r"[\x00-\x1f\x7f]", "holds a line break or another control character"),
    (r"^[A-Za-z][A-Za-z0-9+.\-]+:", "is a URL or names a protocol; only files can be read"),
    (r"^-", "starts with a dash, which a program could take for an option"),
    (r"\$\(|\$\{|`|^\||\|$", "holds shell syntax"),
    (r"(?:^|[/\\])\.\.(?:[/\\]|$)", "leads out of a folder with '..'"),
)
"""Patterns of paths that are refused, and why. No path is ever given to a shell; one of these kinds
is a mistake or an attack."""
ANY_REFUSAL = "|".join(f"(?:{pattern})" for pattern, _ in REFUSALS)
IN_STORE = rf"^{STORED}[0-9A-Za-z_.\-]{{1,200}}$"
UNTIDY = r"//|(?:^|/)\.(?:/|$)"


def checked_names(rows: Rows, root: Path, *, links_out: bool = False) -> pa.LargeStringArray:
    """Return the name of every row's video: its path below the root, or ``store:…``, or "".

    No file is opened; every folder is looked at once, for links.

    Args:
        rows: Rows of a manifest.
        root: The absolute folder that relative paths are below.
        links_out: Whether links may lead out of it.

    Raises:
        UserError: A path is none, or is not below ``root``; the message has the row, not the path.
    """
    names, column = rows.video, rows.columns.video
    stored = _true(pc.match_substring_regex(names, IN_STORE))
    if (_true(pc.match_substring_regex(names, ANY_REFUSAL)) & ~stored).any():
        for pattern, problem in REFUSALS:
            wrong = _true(pc.match_substring_regex(names, pattern)) & ~stored
            rows.refuse_first(wrong, column, f"the path {problem}")
    absolute = _true(pc.starts_with(names, "/"))
    if absolute.any():
        above = str(root).rstrip("/") + "/"
        outside = absolute & ~_true(pc.starts_with(names, above))
        problem = "the path is absolute and not below the video root; set data.video_root"
        rows.refuse_first(outside, column, problem)
        below = pc.utf8_slice_codeunits(names, len(above))
        names = pc.if_else(pa.array(absolute), below, names)
    if _true(pc.match_substring_regex(names, UNTIDY)).any():
        tidy = [posixpath.normpath(name) if name else "" for name in names.to_pylist()]
        names = pa.array(tidy, pa.large_string())
    if not links_out:
        _refuse_links(rows, names, root)
    return names


def by_folder(
    names: pa.LargeStringArray,
) -> Iterator[tuple[str, Int[np.ndarray, " video"]]]:
    """Yield each folder, "" or ending in a slash, and the names in it; stored ones are in none."""
    folders = pc.replace_substring_regex(names, r"[^/]*$", "").dictionary_encode()
    codes = folders.indices.to_numpy()
    files = np.flatnonzero(_true(pc.not_equal(names, "")) & ~_true(pc.starts_with(names, STORED)))
    order = files[np.argsort(codes[files], kind="stable")]
    edges = np.searchsorted(codes[order], np.arange(len(folders.dictionary) + 1))
    for place, folder in enumerate(folders.dictionary.to_pylist()):
        inside = order[edges[place] : edges[place + 1]]
        if len(inside):
            yield folder, inside


def _refuse_links(rows: Rows, names: pa.LargeStringArray, root: Path) -> None:
    """Refuse symbolic links that lead out of the video root, looking once at each folder."""
    folders = Folders(root)
    for folder, inside in by_folder(names):
        out = _first_out(folders, folder.rstrip("/"), inside, names)
        if out is not None:
            problem = (
                "the path is a link that leads out of the video root; set data.links_out=true if "
                "it may, or data.video_root to where it leads"
            )
            raise rows.table.refusal(int(rows.place[out]), rows.columns.video, problem)


def _first_out(
    folders: Folders, folder: str, inside: Int[np.ndarray, " video"], names: pa.LargeStringArray
) -> int | None:
    """Return the first video of a folder that is outside of the root; None where none is."""
    try:
        listing = folders.listing(folder)
    except ValueError:
        return int(inside[0])
    if listing is None or not listing.links:
        return None
    for row in inside.tolist():
        name = names[row].as_py()
        if posixpath.basename(name) in listing.links and not folders.holds(name):
            return int(row)
    return None


def _true(mask: pa.BooleanArray) -> np.ndarray:
    return np.asarray(mask.to_numpy(zero_copy_only=False), bool)
