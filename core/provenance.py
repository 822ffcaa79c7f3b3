"""Hashes that say which code and which files made a result."""

import os
import subprocess
from pathlib import Path

from cinelex.core.files import hash_file, hash_json

PACKAGE = Path(__file__).parents[1]
"""The folder of this package; in a clone its rooms are links."""


def code_hash(package: Path = PACKAGE) -> str:
    """Return the SHA-256 of the names and contents of the package's own Python files.

    Whatever lies beside the package, caches and configs do not count; an uncommitted change does.
    """
    walked = os.walk(package, followlinks=True)
    files = (Path(folder, name) for folder, _, names in walked for name in names)
    return _hash_of(sorted(path for path in files if path.suffix == ".py"), package)


def hash_folder(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files under a folder.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return _hash_of(sorted(path for path in folder.rglob("*") if path.is_file()), folder)


def git_commit(package: Path = PACKAGE) -> str | None:
    """Return the commit that is checked out, or None where git does not keep this package.

    An installed package may lie in somebody else's repository, whose commit says nothing of it.
    """
    try:
        _git(package, "ls-files", "--error-unmatch", "__init__.py")
        return _git(package, "rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments],  # noqa: S607  git lies elsewhere on every system
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return answer.stdout.strip()


def _hash_of(paths: list[Path], root: Path) -> str:
    """Hash relative names and contents."""
    return hash_json([[path.relative_to(root).as_posix(), hash_file(path)] for path in paths])
