"""Hashes that say which code and which files made a result."""

import subprocess
from pathlib import Path

from core.files import hash_file, hash_json

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "cinelex",
    "config",
    "core",
    "data",
    "doctor",
    "losses",
    "metrics",
    "models",
    "projects",
    "runners",
    "scripts",
    "sweeps",
)
"""The folders whose Python files decide what a run computes."""


def code_hash(root: Path = ROOT) -> str:
    """Return the SHA-256 of the names and contents of the project's own Python files.

    Caches, tests and configs do not count; an uncommitted change does.
    """
    sources = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
    return _hash_of(sources, root)


def hash_folder(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files under a folder.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return _hash_of(sorted(path for path in folder.rglob("*") if path.is_file()), folder)


def git_commit(root: Path = ROOT) -> str | None:
    """Return the commit that is checked out, or None where there is no repository or no git."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607  git lies elsewhere on every system
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _hash_of(paths: list[Path], root: Path) -> str:
    """Hash relative names and contents."""
    return hash_json([[path.relative_to(root).as_posix(), hash_file(path)] for path in paths])
