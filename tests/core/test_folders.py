"""A folder is made once, whole, by whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from cinelex.core.errors import UserError
from cinelex.core.folders import make_once, new_folder


def test_a_folder_is_made_once_however_many_ask(tmp_path: Path) -> None:
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "first").write_text("1")
        sleep(0.05)
        (folder / "second").write_text("2")

    def ask(_: int) -> list[str]:
        return sorted(path.name for path in make_once(tmp_path / "set", make).iterdir())

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(ask, range(4)))
    assert seen == [["first", "second"]] * 4
    assert len(calls) == 1


def test_what_fails_half_way_leaves_no_folder_and_the_next_call_makes_it(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("1")
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        make_once(tmp_path / "set", fail)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    made = make_once(tmp_path / "set", lambda folder: None)
    assert list(made.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".set.partial-dead" / "inside"
    leftover.mkdir(parents=True)
    make_once(tmp_path / "set", lambda folder: None)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["set"]


def test_a_folder_that_nobody_may_write_to_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written to .*; set data.cache"):
        make_once(tmp_path / "file" / "set", lambda folder: None)


def test_a_new_folder_is_there_once_it_is_whole_and_not_at_all_where_filling_it_fails(
    tmp_path: Path,
) -> None:
    out = tmp_path / "above" / "out"
    with pytest.raises(FileNotFoundError), new_folder(out, "--out") as folder:
        (folder / "absent" / "half").write_text("1")
    assert not list(out.parent.iterdir())
    with new_folder(out, "--out") as folder:
        (folder / "whole").write_text("1")
        assert not out.exists()
    assert (out / "whole").read_text() == "1"
    with pytest.raises(UserError, match="--out: .* already exists"), new_folder(out, "--out"):
        pass
