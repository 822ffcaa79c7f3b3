"""Where a store is: a folder, or a URL that fsspec reads through a bounded local cache."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.errors import UserError
from cinelex.core.files import write_whole

MAPPED = 4096
"""Shards that are mapped at once."""


class Place:
    """A folder on this machine; its files are mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mapped = lru_cache(MAPPED)(self._map)

    def join(self, name: str) -> str:
        """Return how a person finds a file."""
        return str(self.folder / name)

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every file."""
        try:
            with os.scandir(self.folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        except FileNotFoundError:
            return {}

    def whole(self, name: str) -> UInt8[np.ndarray, " byte"]:
        """Return a whole file."""
        return self._map(name)

    def read(self, name: str, offset: int, count: int) -> UInt8[np.ndarray, " byte"]:
        """Return some bytes of a file, without a copy.

        Raises:
            UserError: The file ends before.
        """
        data = self._mapped(name)[offset : offset + count]
        if len(data) < count:
            raise UserError(f"{self.join(name)}: cut short; delete it, and it is made again")
        return data

    def _map(self, name: str) -> UInt8[np.ndarray, " byte"]:
        path = self.folder / name
        if path.stat().st_size == 0:
            return np.empty(0, np.uint8)
        # as a plain array: each slice of a memmap costs as much as copying a small frame
        return np.asarray(np.memmap(path, np.uint8, "r"))


class RemotePlace(Place):
    """A folder behind a URL; what was read is kept on this machine, up to a number of bytes."""

    def __init__(self, url: str, *, kept: Path, most_bytes: int) -> None:
        """Connect.

        Args:
            url: Of the folder, such as ``s3://bucket/folder``.
            kept: Where copies of what was read are kept; processes may share it.
            most_bytes: Above this the copies that were read longest ago are removed.

        Raises:
            UserError: Nothing here reads such a URL.
        """
        import fsspec  # here, because only stores behind a URL need it

        super().__init__(kept / hashlib.sha256(url.encode()).hexdigest()[:16])
        self.url = url.rstrip("/")
        self.most_bytes = most_bytes
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise UserError(f"{url}: {error}") from error
        self.folder.mkdir(parents=True, exist_ok=True)
        self._added = most_bytes  # so that the first copy looks at what there is

    def join(self, name: str) -> str:
        """Return how a person finds a file."""
        return f"{self.url}/{name}"

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every file."""
        try:
            found: list[dict[str, Any]] = self._files.ls(self._root, detail=True, refresh=True)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"{self.url}: cannot be listed ({error})") from error
        return {item["name"].rsplit("/", 1)[-1]: int(item["size"] or 0) for item in found}

    def whole(self, name: str) -> UInt8[np.ndarray, " byte"]:
        """Return a whole file."""
        return self._copy(name, name, None, None)

    def read(self, name: str, offset: int, count: int) -> UInt8[np.ndarray, " byte"]:
        """Return some bytes of a file, from the copy that is kept or through the network."""
        data = self._copy(name, f"{name}.{offset}", offset, offset + count)
        if len(data) < count:
            raise UserError(f"{self.join(name)}: cut short; upload it again")
        return data

    def _copy(
        self, name: str, copy: str, start: int | None, end: int | None
    ) -> UInt8[np.ndarray, " byte"]:
        try:
            data = self._map(copy)
            os.utime(self.folder / copy)
        except FileNotFoundError:
            data = np.frombuffer(self._fetch(name, start, end), np.uint8)
            self._keep(copy, data)
        return data

    def _fetch(self, name: str, start: int | None, end: int | None) -> bytes:
        try:
            return self._files.cat_file(f"{self._root}/{name}", start=start, end=end)
        except OSError as error:
            raise UserError(f"{self.join(name)}: cannot be read ({error})") from error

    def _keep(self, copy: str, data: UInt8[np.ndarray, " byte"]) -> None:
        if len(data) > self.most_bytes:
            return
        self._added += len(data)
        if self._added > self.most_bytes // 16:  # others add to the folder at the same time
            self._make_room(len(data))
            self._added = len(data)
        write_whole(self.folder / copy, data.data)

    def _make_room(self, count: int) -> None:
        """Remove the copies that were read longest ago; others may remove them at the same time.

        A quarter stays free for what four readers add before they look again.
        """
        found = []
        for path in self.folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, status.st_size, path))
        kept = sum(size for _, size, _ in found)
        if kept + count <= self.most_bytes * 3 // 4:
            return
        for _, size, path in sorted(found):
            if kept + count <= self.most_bytes // 2:
                break
            path.unlink(missing_ok=True)
            kept -= size


def is_url(place: object) -> bool:
    """Return whether a place is a URL."""
    return "://" in str(place)
