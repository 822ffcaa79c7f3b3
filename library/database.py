"""A file of SQLite, for one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database; keep what was done if nothing went wrong, and close it."""
    with closing(sqlite3.connect(path, timeout=30.0)) as database, database:
        yield database
