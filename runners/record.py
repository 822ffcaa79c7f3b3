"""The record of a run: one JSON object a line, each step once, however often the run restarts."""

import json
import math
import os
from collections.abc import Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json

Row = dict[str, Any]
TAIL_BYTES = 2**18
"""How much of a record's end is read to go on with it."""


class Record:
    """Append to ``metrics.jsonl``; only the main rank writes, and only whole lines.

    A full disk costs lines, which are counted, and not the run.
    """

    def __init__(self, path: Path, *, keep_bytes: int) -> None:
        """Open the record and drop what stands behind ``keep_bytes``.

        Args:
            path: The file.
            keep_bytes: Where the checkpoint that the run goes on from stood. What a killed run
                wrote after it will be made, and written, again.
        """
        self.path, self.missed = path, 0
        self._file: FileIO | None = None
        self._end = 0
        if not is_main():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # no buffer: what could not be written must not be tried again in the middle of a line
        self._file = FileIO(path, "a")
        if self._file.tell() > keep_bytes:
            self._file.truncate(keep_bytes)
        self._end = self._file.seek(0, os.SEEK_END)

    def write(self, kind: str, numbers: Mapping[str, Any]) -> None:
        """Append one line; numbers that are not finite become null."""
        if self._file is None:
            return
        line = (
            json.dumps({"kind": kind, **finite_or_none(numbers)}, allow_nan=False).encode() + b"\n"
        )
        try:
            written = self._file.write(line)
        except OSError as problem:
            self._miss(str(problem.strerror))
        else:
            if written == len(line):
                self._end += len(line)
            else:
                self._miss("disk full")

    def _miss(self, reason: str) -> None:
        assert self._file is not None
        self._file.truncate(self._end)
        self.missed += 1
        if self.missed == 1:
            say(f"warning: {self.path}: a line was not written ({reason}); training continues")

    def close(self) -> None:
        """Close the file; nothing can be written after it."""
        if self._file is not None:
            self._file.close()
            if self.missed:
                say(f"warning: {self.path}: {self.missed} lines were not written")

    def position(self) -> int:
        """Return the bytes written so far, after making sure that the disk has them."""
        if self._file is None:
            return 0
        os.fsync(self._file.fileno())
        return self._end


def read_rows(path: Path) -> list[Row]:
    """Return the objects of a JSON-lines file; none where there is no such file.

    Raises:
        UserError: The file is not UTF-8, or a line is no JSON object; the message says which.
    """
    return parse_rows(path.read_bytes(), path) if path.exists() else []


def validations(path: Path) -> list[Row]:
    """Return the validations of a record that may still grow, each step once.

    Raises:
        UserError: A line is no JSON object.
    """
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    # most lines are of steps, and need not be parsed
    rows = parse_rows(b"".join(line for line in lines if b'"validation"' in line), path)
    return list({row["step"]: row for row in rows if row["kind"] == "validation"}.values())


def last_records(path: Path, kind: str) -> list[Row]:
    """Return the lines of one kind among the last `TAIL_BYTES` of a record, oldest first.

    Raises:
        UserError: A line is no JSON object.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - TAIL_BYTES))
        tail = stream.read()
    if size > TAIL_BYTES:
        tail = tail.partition(b"\n")[2]
    return [row for row in parse_rows(tail, path) if row.get("kind") == kind]


def parse_rows(content: bytes, path: Path) -> list[Row]:
    """Return the objects of JSON lines; a last one that a crash cut off is left out.

    Args:
        content: Whole lines, from the start of one.
        path: The file that they are of, for messages.

    Raises:
        UserError: They are not UTF-8, or a line is no JSON object; the message says which.
    """
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: not UTF-8 at byte {problem.start}") from None
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            if number == len(lines):
                break
            row = None
        if not isinstance(row, dict):
            raise UserError(f"{path}: line {number} is not JSON, or no object; remove or repair it")
        rows.append(row)
    return rows


def finite_or_none(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers as the record holds them: None for one that is not finite."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }


def of_the_clock(name: str) -> bool:
    """Return whether a number of a record is a time or a speed, on which no two runs agree."""
    return name.endswith("_ms") or name.startswith("speed/")


def record_hash(folder: Path) -> str:
    """Return the hash of what a run recorded, but for times: equal for two equal runs."""
    rows = read_rows(folder / "metrics.jsonl")
    return hash_json([{key: row[key] for key in row if not of_the_clock(key)} for row in rows])
