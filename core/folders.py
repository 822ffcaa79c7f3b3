"""Folders that are made once, and are either whole or not there."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
    final.parent.mkdir(parents=True, exist_ok=True)
    with _locked(final.parent / f".{final.name}.lock"):
        if not final.exists():
            _make(final, make)
    return final


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; a process that dies gives it back."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(final: Path, make: Callable[[Path], None]) -> None:
    for leftover in final.parent.glob(f".{final.name}.partial-*"):
        shutil.rmtree(leftover)
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{final.name}.partial-", dir=final.parent))
    try:
        make(partial_folder)
        partial_folder.chmod(0o755)
        partial_folder.rename(final)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
