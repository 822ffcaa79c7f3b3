"""Hashes of code and folders."""

import subprocess
from pathlib import Path

import pytest

from core.provenance import PACKAGES, ROOT, code_hash, git_commit, hash_folder


def project(root: Path) -> Path:
    """Make a project of two files."""
    (root / "core").mkdir(parents=True)
    (root / "core" / "a.py").write_text("a = 1\n")
    (root / "losses").mkdir()
    (root / "losses" / "b.py").write_text("b = 1\n")
    return root


def test_code_hash_sees_a_changed_and_a_renamed_source_and_nothing_else(tmp_path: Path) -> None:
    root = project(tmp_path)
    before = code_hash(root)
    (root / "README.md").write_text("words")
    (root / "core" / "a.pyc").write_bytes(b"cache")
    assert code_hash(root) == before
    (root / "core" / "a.py").write_text("a = 2\n")
    changed = code_hash(root)
    assert changed != before
    (root / "core" / "a.py").rename(root / "core" / "c.py")
    assert code_hash(root) not in (before, changed)


def test_the_same_code_has_the_same_hash_wherever_it_lies(tmp_path: Path) -> None:
    assert code_hash(project(tmp_path / "here")) == code_hash(project(tmp_path / "there"))


def test_every_package_of_this_project_counts() -> None:
    with_python = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert with_python - {"tests", "benchmarks"} <= set(PACKAGES)


def test_a_folder_hash_sees_names_and_contents(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "a").write_text("1")
    before = hash_folder(tmp_path / "one")
    assert hash_folder(tmp_path / "two") == before
    (tmp_path / "two" / "deep" / "a").rename(tmp_path / "two" / "a")
    assert hash_folder(tmp_path / "two") != before
    (tmp_path / "one" / "deep" / "a").write_text("2")
    assert hash_folder(tmp_path / "one") != before


def test_a_missing_folder_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        hash_folder(tmp_path / "none")


def test_the_commit_is_gits_own_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert git_commit(tmp_path / "nowhere") is None
    assert git_commit(tmp_path) is None
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    commit = git_commit(tmp_path)
    assert commit is not None
    assert len(commit) == 40
