"""Too little shared memory is named with its size and the setting that cures it."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from cinelex.core import shared_memory


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_room_of_a_plain_container_is_named_with_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**26, 0, 2**26))
    said = shared_memory.too_small(8, folder=tmp_path)
    assert "64 MiB" in said
    assert "--shm-size=1g" in said
    assert not shared_memory.too_small(1, folder=tmp_path), "alone it needs none"


def test_enough_room_is_not_worth_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**30, 0, 2**30))
    assert not shared_memory.too_small(8, folder=tmp_path)
    assert not shared_memory.too_small(8, folder=tmp_path / "absent")
