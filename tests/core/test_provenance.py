"""Hashes of code and folders."""

import subprocess
from pathlib import Path

import pytest

from cinelex.core.provenance import (
    code_hash,
    git_commit,
    hash_folder,
)


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


def test_rooms_that_are_links_count_and_what_lies_beside_the_package_does_not(
    tmp_path: Path,
) -> None:
    whole = project(tmp_path / "whole")
    rooms = project(tmp_path / "beside")
    package = tmp_path / "beside" / "package"
    package.mkdir()
    for room in ("core", "losses"):
        (package / room).symlink_to(f"../{room}")
    assert code_hash(package) == code_hash(whole)
    (rooms / "data.py").write_text("someone_elses = 1\n")
    assert code_hash(package) == code_hash(whole)


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
    assert git_commit(tmp_path) is None, "somebody else's repository around an installed package"
    (tmp_path / "__init__.py").touch()
    for arguments in (["add", "-A"], ["commit", "-q", "-m", "second"]):
        subprocess.run([*git, *arguments], check=True)
    commit = git_commit(tmp_path)
    assert commit is not None
    assert len(commit) == 40
