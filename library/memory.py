"""What people leave in a library: labels, case lists, and a record of who searched for what."""

import csv
import hashlib
import io
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from cinelex.library.database import connected

Verdict = Literal["like", "unlike", ""]
MAX_LOGGED: Final = 120
"""Characters of a text that are logged; a longer one may be a report, and is not."""
TABLES: Final = """
CREATE TABLE IF NOT EXISTS labels (
    person TEXT, query TEXT, study TEXT, verdict TEXT, time REAL, PRIMARY KEY (person, query, study)
);
CREATE TABLE IF NOT EXISTS lists (
    person TEXT, name TEXT, study TEXT, time REAL, PRIMARY KEY (person, name, study)
);
"""


class Memory:
    """Labels and case lists of people, by the ids of studies, so that they outlive an index."""

    def __init__(self, folder: Path) -> None:
        """Open the file of a library, and make it where it is not there."""
        self._path = folder / "people.sqlite"
        with connected(self._path) as database:
            database.executescript(TABLES)

    def label(self, person: str, query: str, study: str, verdict: Verdict) -> None:
        """Keep what somebody says of a study as an answer to a query; "" forgets it."""
        self._run(
            "DELETE FROM labels WHERE person = ? AND query = ? AND study = ?",
            (person, query, study),
        )
        if verdict:
            self._run(
                "INSERT INTO labels VALUES (?, ?, ?, ?, ?)",
                (person, query, study, verdict, time.time()),
            )

    def labels(self, person: str, query: str) -> dict[str, str]:
        """Return somebody's verdicts on the answers to a query, by the ids of studies."""
        sql = "SELECT study, verdict FROM labels WHERE person = ? AND query = ?"
        return dict(self._run(sql, (person, query)))

    def all_labels(self, person: str) -> list[tuple[str, str, str]]:
        """Return query, study and verdict of all labels of somebody."""
        sql = "SELECT query, study, verdict FROM labels WHERE person = ? ORDER BY time"
        return self._run(sql, (person,))

    def keep(self, person: str, name: str, study: str, *, kept: bool) -> None:
        """Put a study on a case list, or take it off."""
        if kept:
            sql = "INSERT OR IGNORE INTO lists VALUES (?, ?, ?, ?)"
            self._run(sql, (person, name, study, time.time()))
        else:
            sql = "DELETE FROM lists WHERE person = ? AND name = ? AND study = ?"
            self._run(sql, (person, name, study))

    def lists(self, person: str) -> dict[str, list[str]]:
        """Return the studies on each of somebody's case lists."""
        found: dict[str, list[str]] = {}
        sql = "SELECT name, study FROM lists WHERE person = ? ORDER BY time"
        for name, study in self._run(sql, (person,)):
            found.setdefault(name, []).append(study)
        return found

    def _run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with connected(self._path) as database:
            return database.execute(sql, values).fetchall()


class SearchLog:
    """A JSON line a search, with who and what, and never the text of a report."""

    def __init__(self, path: Path) -> None:
        """Append to a file."""
        self._path, self._lock = path, threading.Lock()

    def write(self, person: str, address: str, what: Mapping[str, Any]) -> None:
        """Write a line and hand it to the disk."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": now, "person": person, "address": address, **what})
        with self._lock, self._path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def logged_text(text: str) -> str:
    """Return a query as it is logged: a long text, which may be a report, by its hash alone."""
    if len(text) <= MAX_LOGGED:
        return text
    return f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV in which no cell is taken for a formula by a spreadsheet."""
    stream = io.StringIO()
    safe = [[f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in r] for r in rows]
    csv.writer(stream).writerows(safe)
    return stream.getvalue()
