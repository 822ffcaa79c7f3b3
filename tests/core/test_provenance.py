"""The hash of the code."""

from pathlib import Path

from cinelex.core.provenance import code_hash


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
