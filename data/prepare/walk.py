"""Every file below a folder, and which part of them is whose."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """A file, as the folder's listing has it."""

    path: str
    """Below the root; bytes that are no UTF-8 are kept as ``os.fsdecode`` keeps them."""
    size: int
    """Bytes; -1 for what cannot be opened as a file."""
    mtime_ns: int
    refusal: str = ""
    """Why it is not even looked at: "link", "special_file", "unreadable"."""


@dataclass(frozen=True)
class Share:
    """One of several deterministic parts of the files."""

    number: int = 1
    """From 1."""
    of: int = 1

    def __contains__(self, path: str) -> bool:
        digest = hashlib.sha256(os.fsencode(path)).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"


def walk(root: Path) -> Iterator[Found]:
    """Yield every file below ``root``, whatever its name; nothing is opened, no link followed."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield Found(folder or ".", -1, 0, "unreadable")
            continue
        for entry in listed:
            path = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield _found(entry, path)


def _found(entry: "os.DirEntry[str]", path: str) -> Found:
    if entry.is_symlink():
        return Found(path, -1, 0, "link")
    if not entry.is_file(follow_symlinks=False):
        return Found(path, -1, 0, "special_file")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return Found(path, -1, 0, "unreadable")
    return Found(path, status.st_size, status.st_mtime_ns)
