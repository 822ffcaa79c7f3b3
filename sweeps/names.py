"""A worker's name on this host, which nobody else has while the worker lives."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


@contextmanager
def own_name(folder: Path) -> Iterator[str]:
    """Hold the first name of this host that no living worker of a sweep's folder has.

    Several coordinators may work in one folder on one host, as the tasks of a SLURM array do, so
    that the number of a slot is no name.
    """
    for place in count():
        with _held(_path(folder, place)) as free:
            if free:
                yield _name(folder, place)
                return


def abandoned(folder: Path) -> Iterator[str]:
    """Yield each name of this host whose worker is dead; nobody can take it while it is in use."""
    for place in count():
        path = _path(folder, place)
        if not path.exists():
            return
        with _held(path) as free:
            if free:
                yield _name(folder, place)


def _name(folder: Path, place: int) -> str:
    return f"{socket.gethostname()}:{folder.resolve()}:{place}"


def _path(folder: Path, place: int) -> Path:
    return folder / "locks" / f"worker-{socket.gethostname()}-{place}"


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Lock a file, which no child process inherits; False where a living worker holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
