"""The record of a run: one JSON object a line, each step once, however often the run restarts."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.distributed import is_main


class Record:
    """Append to ``metrics.jsonl``; only the main rank writes."""

    def __init__(self, path: Path, *, keep_bytes: int) -> None:
        """Open the record and drop what stands behind ``keep_bytes``.

        Args:
            path: The file.
            keep_bytes: Where the checkpoint that the run goes on from stood. What a killed run
                wrote after it will be made, and written, again.
        """
        self.path = path
        self._file = None
        if not is_main():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        if self._file.tell() > keep_bytes:
            self._file.truncate(keep_bytes)
        self._file.seek(0, os.SEEK_END)

    def write(self, kind: str, numbers: Mapping[str, Any]) -> None:
        """Append one line; numbers that are not finite become null."""
        if self._file is None:
            return
        line = json.dumps({"kind": kind, **_finite(numbers)}, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file; nothing can be written after it."""
        if self._file is not None:
            self._file.close()

    def position(self) -> int:
        """Return the bytes written so far, after making sure that the disk has them."""
        if self._file is None:
            return 0
        os.fsync(self._file.fileno())
        return self._file.tell()


def read_records(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of one kind."""
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == kind:
            yield row


def _finite(numbers: Mapping[str, Any]) -> dict[str, Any]:
    infinite = (float("inf"), float("-inf"))
    return {
        name: None if isinstance(value, float) and (value != value or value in infinite) else value
        for name, value in numbers.items()
    }
