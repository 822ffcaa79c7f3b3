"""Which videos of a manifest are there, and where they may be if none is."""

import os
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from cinelex.data.studies.folders import Folders
from cinelex.data.studies.paths import by_folder
from cinelex.data.studies.studies import STORED, Studies

MAX_FOLDERS = 200
"""Folders beside and below the video root in which the first video is looked for."""
MAX_TAIL = 8
"""Leading folders that a path may have too many."""
DRIVE = re.compile(r"^[A-Za-z]:[\\/]*|^\\\\[^\\]+\\|^~[^/\\]*[/\\]")


def missing_videos(studies: Studies) -> Bool[np.ndarray, " video"]:
    """Return which videos are not below the root, listing each folder once; stored ones are."""
    names = studies.video_names
    missing = np.zeros(len(names), bool)
    folders = Folders(studies.root)
    for folder, inside in by_folder(names):
        there = folders.files(folder.rstrip("/"))
        for row in inside.tolist():
            missing[row] = names[row].as_py()[len(folder) :] not in there
    return missing


def where_they_are(studies: Studies, *, beside: Path) -> str:
    """Return what to do so that the first video is found, "" where nothing helps.

    A folder is named only where it is the user's own choice, or the last video is below it too.

    Args:
        studies: Studies of whose videos none is there.
        beside: The manifest's folder.
    """
    files = [name for name in studies.video_names.to_pylist() if not name.startswith(STORED)]
    chosen, near = _roots(studies.root, beside)
    return _found(studies.root, files, chosen, near)


def where_others_are(studies: Studies, missing: Bool[np.ndarray, " video"]) -> str:
    """Return what to do so that the first missing video is found where the others are, or ""."""
    files = studies.video_names.filter(pa.array(missing)).to_pylist()
    return _found(studies.root, files, [studies.root], [])


def _found(home: Path, files: list[str], chosen: list[Path], near: list[Path]) -> str:
    last = {change: text for text, change in _forms(files[-1])}
    for text, change in _forms(files[0]):
        for root in [*chosen, *near]:
            ending = _ending(root, text)
            if ending is None or (root in near and _ending(root, last.get(change, "")) is None):
                continue
            steps = [f"data.video_root={root}"] if root != home else []
            steps += [change] if change else []
            steps += [ending] if ending else []
            return f"with {' and '.join(steps)} the first is found"
    return ""


def _forms(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path as it may have been meant, and what was changed in words without a name."""
    plain = name.replace("\\", "/")
    slashes = ["/ for \\ in the column"] if plain != name else []
    yield plain, " and ".join(slashes)
    for meant, change in _spellings(plain):
        yield meant, " and ".join([*slashes, change])
    bare = DRIVE.sub("", name).replace("\\", "/").lstrip("/")
    lead = ["no drive or '~' before the paths"] if len(bare) < len(plain) else []
    if lead:
        yield bare, " and ".join([*slashes, *lead])
    parts = bare.split("/")
    for cut in range(1, min(len(parts), MAX_TAIL)):
        folders = "folder" if cut == 1 else f"{cut} folders"
        less = f"the first {folders} of the paths left out"
        yield "/".join(parts[cut:]), " and ".join([*slashes, *lead, less])


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    """Yield what else a path may be written as, and how it was changed."""
    if unquote(name) != name:
        yield unquote(name), "the character itself for each %20 and its like in the column"
    if name.strip("\"' ") != name:
        yield name.strip("\"' "), "no quotes around the paths"
    composed, apart = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    for other, form in ((composed, "NFC"), (apart, "NFD")):
        if other != name:
            yield other, f"the accents as the files' names have them (Unicode {form})"


def _roots(root: Path, beside: Path) -> tuple[list[Path], list[Path]]:
    """Return where videos may be: folders that somebody chose, and those in and above them."""
    chosen = list(dict.fromkeys([root, beside.absolute(), Path.cwd(), Path.home()]))
    above = chain(*(base.parents for base in chosen))
    inside = chain(*(_inside(base) for base in chosen))
    near = islice(dict.fromkeys([*above, *inside]), MAX_FOLDERS)
    return chosen, [folder for folder in near if folder not in chosen]


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(e.path) for e in islice(entries, MAX_FOLDERS) if e.is_dir())
    except OSError:
        return []


def _ending(root: Path, name: str) -> str | None:
    """Return "" where a file is there, what is to be written where only that differs, else None."""
    try:
        if (root / name).is_file():
            return ""
        folder, stem = os.path.split(root / name)
        with os.scandir(folder) as entries:
            rest = [e.name[len(stem) :] for e in entries if stem and e.name.startswith(stem + ".")]
        if rest and re.fullmatch(r"\.[A-Za-z0-9]{1,5}", rest[0]):
            return f"the ending {rest[0]} written in the column"
    except (OSError, ValueError):
        pass
    return "capitals as the files' names have them" if _but_for_case(root, name) else None


def _but_for_case(root: Path, name: str) -> bool:
    """Return whether a file is there whose path differs in capitals alone."""
    here = str(root)
    try:
        for part in name.split("/"):
            with os.scandir(here) as entries:
                alike = [e.path for e in entries if e.name.casefold() == part.casefold()]
            if not alike:
                return False
            here = alike[0]
    except OSError:
        return False
    return os.path.isfile(here)
