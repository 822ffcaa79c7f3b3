"""What is known of the studies of a library beside their vectors: one SQLite file."""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int64

from cinelex.core.errors import UserError
from cinelex.library.database import connected

MAX_CHOICES: Final = 60
"""A column with more different values than that is filtered by numbers, or not at all."""
VIEW: Final = "view"
TABLES: Final = """
CREATE TABLE IF NOT EXISTS studies (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, patient TEXT NOT NULL, report TEXT NOT NULL,
    content TEXT NOT NULL, digest BLOB NOT NULL, is_current INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS studies_id ON studies (id);
CREATE TABLE IF NOT EXISTS videos (
    number INTEGER PRIMARY KEY, row INTEGER NOT NULL, view TEXT NOT NULL, store TEXT NOT NULL,
    key TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS videos_row ON videos (row);
CREATE TABLE IF NOT EXISTS fields (name TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS fields_value ON fields (name, value, row);
CREATE INDEX IF NOT EXISTS fields_row ON fields (row);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (report, content='');
"""


@dataclass(frozen=True)
class Video:
    """A cine of a study."""

    number: int
    """From 0 over the whole library; all that a browser knows it by."""
    view: str
    """"" where unknown."""
    store: str
    """Folder of the frames."""
    key: str
    """Of the frames in the store."""


@dataclass(frozen=True)
class Case:
    """A study of the library. Its report is left out of ``repr``."""

    row: int
    """From 0: its place in the index of vectors."""
    id: str
    patient: str
    report: str = field(repr=False)
    videos: tuple[Video, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Columns of the manifest."""


@dataclass(frozen=True)
class NewCase:
    """A study that is to be added, with the hash of its content and of its vector."""

    case: Case
    content: str
    digest: bytes


class Catalog:
    """The studies in order; one connection a call, so that any thread may ask."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it where it is not there."""
        self.path = path
        with connected(self.path) as database:
            database.executescript(TABLES)

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM studies"))

    @property
    def videos(self) -> int:
        """Return how many videos all studies have."""
        return int(self._one("SELECT count(*) FROM videos"))

    @property
    def current_videos(self) -> int:
        """Return how many videos the studies have that are searched."""
        sql = "SELECT count(*) FROM videos JOIN studies USING (row) WHERE is_current"
        return int(self._one(sql))

    def contents(self) -> dict[str, str]:
        """Return the hash of each study's content, by its id."""
        return dict(self._all("SELECT id, content FROM studies WHERE is_current"))

    def digests(self) -> list[bytes]:
        """Return the hash of each row's vector."""
        return [digest for (digest,) in self._all("SELECT digest FROM studies ORDER BY row")]

    def add(self, cases: Sequence[NewCase]) -> None:
        """Add studies; those that have the id of an older one take its place in searches."""
        with connected(self.path) as database:
            for new in cases:
                case = new.case
                database.execute("UPDATE studies SET is_current = 0 WHERE id = ?", (case.id,))
                database.execute(
                    "INSERT INTO studies VALUES (?, ?, ?, ?, ?, ?, 1)",
                    (case.row, case.id, case.patient, case.report, new.content, new.digest),
                )
                database.execute(
                    "INSERT INTO words (rowid, report) VALUES (?, ?)", (case.row, case.report)
                )
                database.executemany(
                    "INSERT INTO videos VALUES (?, ?, ?, ?, ?)",
                    [(v.number, case.row, v.view, v.store, v.key) for v in case.videos],
                )
                views = {(VIEW, video.view) for video in case.videos if video.view}
                database.executemany(
                    "INSERT INTO fields VALUES (?, ?, ?)",
                    [(*pair, case.row) for pair in {*case.fields.items(), *views}],
                )

    def cases(self, rows: Sequence[int]) -> list[Case]:
        """Return studies by their rows, in that order."""
        with connected(self.path) as database:
            return [_case(database, row) for row in rows]

    def row_of(self, study: str) -> int:
        """Return the row of a study by its id.

        Raises:
            UserError: There is no such study; the message does not repeat the id.
        """
        found = self.rows_of([study])
        if not found:
            raise UserError("no study of this library has this id; check its spelling")
        return found[study]

    def rows_of(self, studies: Iterable[str]) -> dict[str, int]:
        """Return the rows of those of some studies that are there, by their ids."""
        sql = "SELECT row FROM studies WHERE id = ? AND is_current"
        with connected(self.path) as database:
            found = {study: database.execute(sql, (study,)).fetchone() for study in studies}
        return {study: int(row[0]) for study, row in found.items() if row}

    def video(self, number: int) -> Video | None:
        """Return a video by its number."""
        sql = "SELECT number, view, store, key FROM videos WHERE number = ?"
        found = self._all(sql, (number,))
        return Video(*found[0]) if found else None

    def stores(self) -> dict[str, str]:
        """Return the folders of frames that the videos are in, each with a key of one of them."""
        return dict(self._all("SELECT store, max(key) FROM videos GROUP BY store"))

    def current(self) -> Int64[np.ndarray, " row"]:
        """Return the rows that are searched."""
        return self._rows("SELECT row FROM studies WHERE is_current")

    def columns(self) -> dict[str, dict[str, Any]]:
        """Return what can be filtered by: choices with their counts, or the range of numbers."""
        found: dict[str, dict[str, Any]] = {}
        for (name,) in self._all("SELECT DISTINCT name FROM fields ORDER BY name"):
            values = self._all(
                "SELECT value, count(*) FROM fields WHERE name = ? GROUP BY value LIMIT ?",
                (name, MAX_CHOICES + 1),
            )
            if len(values) <= MAX_CHOICES:
                found[name] = {"choices": dict(values)}
                continue
            odd = "SELECT count(*) FROM fields WHERE name = ? AND value GLOB '*[^-+0-9.eE]*'"
            if not self._one(odd, (name,)):
                low, high = self._all(
                    "SELECT min(CAST(value AS REAL)), max(CAST(value AS REAL)) FROM fields "
                    "WHERE name = ?",
                    (name,),
                )[0]
                found[name] = {"low": low, "high": high}
        return found

    def rows_with(self, name: str, values: Sequence[str]) -> Int64[np.ndarray, " row"]:
        """Return the rows whose column holds one of some values."""
        marks = ", ".join("?" * len(values))
        sql = f"SELECT row FROM fields WHERE name = ? AND value IN ({marks})"  # noqa: S608
        return self._rows(sql, (name, *values))

    def rows_between(self, name: str, low: float, high: float) -> Int64[np.ndarray, " row"]:
        """Return the rows whose column holds a number from ``low`` to ``high``."""
        sql = "SELECT row FROM fields WHERE name = ? AND CAST(value AS REAL) BETWEEN ? AND ?"
        return self._rows(sql, (name, low, high))

    def rows_saying(self, words: str) -> Int64[np.ndarray, " row"]:
        """Return the rows whose reports hold all these words, and none after a minus sign.

        Words in double quotes must follow one another.
        """
        asked = re.findall(r'(-?)(?:"([^"]+)"|([^\s"]+))', words)
        terms = [(minus, (phrase or word).replace('"', "")) for minus, phrase, word in asked]
        rows = self.current()
        for minus, term in terms:
            if re.search(r"\w", term):
                sql = "SELECT rowid FROM words WHERE words MATCH ?"
                found = self._rows(sql, (f'"{term}"',))
                rows = np.setdiff1d(rows, found) if minus else np.intersect1d(rows, found)
        return rows

    def reports(self) -> list[str]:
        """Return the report of each row."""
        return [report for (report,) in self._all("SELECT report FROM studies ORDER BY row")]

    def unknown_words(self, words: Sequence[str]) -> list[str]:
        """Return those of some words that no report holds; the first report that does is enough."""
        sql = "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1"
        with connected(self.path) as database:
            return [
                word
                for word in words
                if re.search(r"\w", word)
                and database.execute(sql, (f'"{word}"',)).fetchone() is None
            ]

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Int64[np.ndarray, " row"]:
        return np.unique(np.array([row for (row,) in self._all(sql, values)], np.int64))

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._all(sql, values)[0][0]

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with connected(self.path) as database:
            return database.execute(sql, values).fetchall()


def _case(database: sqlite3.Connection, row: int) -> Case:
    study, patient, report = database.execute(
        "SELECT id, patient, report FROM studies WHERE row = ?", (row,)
    ).fetchone()
    videos = database.execute(
        "SELECT number, view, store, key FROM videos WHERE row = ? ORDER BY number", (row,)
    )
    fields = database.execute(
        "SELECT name, value FROM fields WHERE row = ? AND name != ?", (row, VIEW)
    )
    return Case(row, study, patient, report, tuple(Video(*v) for v in videos), dict(fields))
