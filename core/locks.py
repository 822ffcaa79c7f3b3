"""A folder that one process has for itself."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cinelex.core.errors import UserError


@contextmanager
def sole_user(
    folder: Path,
    *,
    shared: bool = False,
    remedy: str = "wait for it, stop it, or set name=",
) -> Iterator[None]:
    """Hold ``folder`` as long as the context lasts; the system lets go when the process dies.

    Args:
        folder: Is made.
        shared: Hold it beside others who share it, against whoever wants it alone.
        remedy: What to do where it is held, for the message.

    Raises:
        UserError: Another process holds it; names process and host.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder} is in use by {_owner(descriptor)}; {remedy}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps([os.getpid(), socket.gethostname()]).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def in_use(folder: Path) -> bool:
    """Return whether a living process holds a folder, on whatever node that shares the disk."""
    if not folder.exists():
        return False
    try:
        with sole_user(folder):
            return False
    except UserError:
        return True


def _owner(descriptor: int) -> str:
    try:
        process, host = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return "a process that has just begun"
    return f"process {process} on {host}"
