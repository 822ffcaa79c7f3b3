"""The folders that videos are in, each listed once."""

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Listing:
    """What a folder holds besides files."""

    folders: frozenset[str]
    links: frozenset[str]


class Folders:
    """The folders below a root, listed when they are asked for."""

    def __init__(self, root: Path) -> None:
        """Take the absolute folder that all others are below."""
        self.root = str(root)
        self.real_root = os.path.realpath(root)
        self._known: dict[str, Listing | None] = {"": _listing(self.root)}

    def listing(self, folder: str) -> Listing | None:
        """Return what a folder below the root holds; None where there is none.

        Raises:
            ValueError: A link on the way leads out of the root.
        """
        if folder not in self._known:
            above = self.listing(posixpath.dirname(folder))
            name = posixpath.basename(folder)
            linked = above is not None and name in above.links
            if linked and not self.holds(folder):
                raise ValueError("a link leads out of the root")
            there = above is not None and (linked or name in above.folders)
            self._known[folder] = _listing(self.path(folder)) if there else None
        return self._known[folder]

    def files(self, folder: str) -> frozenset[str]:
        """Return the names of all that is in a folder but folders; empty where there is none."""
        try:
            with os.scandir(self.path(folder)) as entries:
                return frozenset(e.name for e in entries if not e.is_dir(follow_symlinks=False))
        except OSError:
            return NONE

    def holds(self, name: str) -> bool:
        """Return whether a file or folder is below the root when links are followed."""
        real = os.path.realpath(self.path(name))
        return real == self.real_root or real.startswith(self.real_root.rstrip("/") + "/")

    def path(self, name: str) -> str:
        """Return where a file or folder is."""
        return f"{self.root}/{name}"


def _listing(folder: str) -> Listing | None:
    folders, links = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    links.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError:
        return None  # what is missing is counted before videos are decoded
    return Listing(frozenset(folders) or NONE, frozenset(links) or NONE)
