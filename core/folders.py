"""Folders that are made once, and are either whole or not there."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.errors import UserError


def make_once(final: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder, which ``make`` fills unless it is there already.

    It is filled beside its final place and renamed, so that it appears whole or not at all; whoever
    asks for a folder that another process is making waits.

    Args:
        final: Where the folder is to be.
        make: Fills the empty folder that it is given.
    """
    if final.exists():
        return final
    with locked(final.parent / f".{final.name}.lock", what=str(final)):
        if not final.exists():
            _make(final, make)
    return final


@contextmanager
def new_folder(final: Path, key: str) -> Iterator[Path]:
    """Give a folder to fill that gets its name once it is whole; what fails leaves nothing behind.

    Args:
        final: Where it is to be.
        key: The option that names it.

    Raises:
        UserError: Something is there, or nothing can be written there.
    """
    if final.exists() or final.is_symlink():
        raise UserError(f"{key}: {final} already exists; name a folder that does not")
    check_writable(final.absolute().parent, key)
    with _beside(final.absolute()) as partial_folder:
        yield partial_folder


def check_writable(folder: Path, key: str) -> None:
    """Make a folder, and refuse it where nothing can be written, before there is work to lose.

    Args:
        folder: Made with all above it.
        key: The key or option that names it.

    Raises:
        UserError: Nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be written to ({error.strerror}); set {key} to a folder that can"
        ) from error


@contextmanager
def locked(path: Path, *, what: str) -> Iterator[None]:
    """Hold a lock file, when whoever holds it is done; a process that dies gives it back.

    Args:
        path: The file; the folder that it is in is made.
        what: What only one process at a time may make, for those who watch another wait.

    Raises:
        UserError: The folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise UserError(
            f"{path.parent}: cannot be written to ({error.strerror}); set data.cache to a folder "
            "that can"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process, which makes {what}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(final: Path, make: Callable[[Path], None]) -> None:
    for leftover in final.parent.glob(f".{final.name}.partial-*"):
        shutil.rmtree(leftover)
    with _beside(final) as partial_folder:
        make(partial_folder)


@contextmanager
def _beside(final: Path) -> Iterator[Path]:
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{final.name}.partial-", dir=final.parent))
    try:
        yield partial_folder
        partial_folder.chmod(0o755)
        partial_folder.rename(final)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
