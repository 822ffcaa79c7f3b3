"""One process at a time looks at a sweep's queues and changes them, on however many nodes."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from cinelex.core.files import hash_json
from cinelex.sweeps.settings import Sweep

LOCK_FILE = "queue.lock"
KEEP_ALIVE = (
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)
"""A node that lost its power must not keep its turn for the two hours that are the usual limit."""


@contextmanager
def turn(sweep: Sweep) -> Iterator[ExitStack]:
    """Wait for this process's turn, and hold it; closing what is yielded ends it early.

    PostgreSQL locks for all nodes, which may have folders of their own. Where the database is a
    file, its users share a disk, and the lock is a file as well. Both are let go of by the server
    or the system when their holder dies. A turn in a turn waits for ever.
    """
    with ExitStack() as held:
        shared = make_url(sweep.storage).get_backend_name() == "postgresql"
        held.enter_context(_lock_server(sweep) if shared else _lock_file(sweep))
        yield held


@contextmanager
def _lock_file(sweep: Sweep) -> Iterator[None]:
    with (sweep.folder / LOCK_FILE).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def _lock_server(sweep: Sweep) -> Iterator[None]:
    # a connection of its own, since the lock ends with it; and no transaction that stays open
    engine = create_engine(sweep.storage, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in KEEP_ALIVE:
            connection.execute(text(setting))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": server_key(sweep)})
        yield


def server_key(sweep: Sweep) -> int:
    """Return the number that PostgreSQL knows a sweep's lock by: 60 bits of its name's hash."""
    return int(hash_json(["cinelex", sweep.name])[:15], 16)
