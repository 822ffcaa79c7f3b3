"""What the journals know of every file, joined."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cinelex.core.files import read_json, write_json
from cinelex.core.folders import locked
from cinelex.data.prepare.inventory import GONE
from cinelex.data.prepare.places import Places
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.prepare.walk import Share
from cinelex.data.prepare.worker_pool import Item


@dataclass(frozen=True)
class Sources:
    """The folders that a data set was made from, by their number, and its secret."""

    roots: Mapping[int, Path]
    salt: str
    """Hexadecimal; names files and contents so that only who has the key can check a guess."""

    def items(self, rows: pd.DataFrame, share: Share) -> list[Item]:
        """Return what a child is to be told of files; those of other shares are left out."""
        names = ("root", "path", "size", "mtime_ns", "record")
        cells = zip(*(rows[name].tolist() for name in names), strict=True)
        return [
            {
                "root": root,
                "path": os.fsdecode(path),
                "file": str(self.roots[root] / os.fsdecode(path)),
                "size": size,
                "mtime_ns": mtime_ns,
                "record": json.loads(record),
            }
            for root, path, size, mtime_ns, record in cells
            if os.fsdecode(path) in share
        ]


def root_number(places: Places, root: Path) -> tuple[int, dict[int, Path]]:
    """Return the number of a folder, new or known, and all folders by their number."""
    path = places.private / "roots.json"
    with locked(places.private / ".roots.lock", what="the list of folders"):
        roots: list[str] = read_json(path) if path.exists() else []
        own = str(root.resolve())
        if own not in roots:
            roots.append(own)
            write_json(path, roots)
    return roots.index(own), {number: Path(name) for number, name in enumerate(roots)}


def known_files(places: Places, settings: PrepareSettings) -> pd.DataFrame:
    """Return a row a file: its stamp, kind, reason, instance, record and, if known, its content.

    The column "cine" is True for cines of the modalities that are asked for. The rows are in the
    order of root and path.
    """
    files = places.files.read()
    files = files[files["reason"] != GONE]
    stamp = ["root", "path", "size", "mtime_ns"]
    files = files.merge(places.contents.read(), on=stamp, how="left")
    wanted = files["modality"].isin(settings.modalities)
    files["cine"] = (files["kind"] == "cine") & wanted
    files.loc[(files["kind"] == "cine") & ~wanted, ["kind", "reason"]] = "refused", "modality"
    return files
