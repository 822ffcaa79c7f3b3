"""Checkpoints beside the training: a full disk costs a checkpoint, and at last the run."""

import errno
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cinelex.core import checkpoint
from cinelex.core.checkpoint import Position
from cinelex.core.errors import UserError
from cinelex.runners import saving
from cinelex.runners.saver import MAX_MISSED_IN_A_ROW, Saver
from cinelex.runners.snapshot import Snapshots


def snapshots() -> Snapshots:
    model = nn.Linear(3, 4)
    return Snapshots(model, torch.optim.AdamW(model.parameters()))


def at(step: int) -> Position:
    return Position(step=step, records=0, skipped=0)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk that takes the first file and no other."""
    save_file = vars(saving)["save_tensors"]

    def refuse(tensors: Any, path: Path) -> None:
        if path.name != "model.safetensors":
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, path)

    monkeypatch.setitem(vars(saving), "save_tensors", refuse)
    return monkeypatch


def test_training_goes_on_while_a_checkpoint_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, save_file = threading.Event(), vars(saving)["save_tensors"]

    def wait_and_save(tensors: Any, path: Path) -> None:
        assert may_write.wait(60)
        save_file(tensors, path)

    monkeypatch.setitem(vars(saving), "save_tensors", wait_and_save)
    with Saver(tmp_path, keep=1) as saver:
        saver.start(snapshots().take(at(1), provenance={}))
        assert checkpoint.steps_saved(tmp_path) == [], "start came back before anything was written"
        may_write.set()
    assert saver.last == tmp_path / "step-1"
    newest = checkpoint.newest(tmp_path)
    assert newest is not None
    assert newest.path == tmp_path / "step-1"


def test_a_full_disk_costs_a_checkpoint_and_leaves_nothing_behind(
    tmp_path: Path, full: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Saver(tmp_path, keep=1) as saver:
        taken = snapshots().take(at(7), provenance={})
        saver.start(taken)
    assert list(tmp_path.iterdir()) == []
    said = capsys.readouterr().out
    assert "step 7 was not saved (No space left on device)" in said
    assert f"needs {taken.bytes:,} bytes" in said
    assert "training continues" in said


def test_a_disk_that_stays_full_stops_the_run(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    taker = snapshots()
    with Saver(tmp_path, keep=1) as saver:
        for step in range(1, MAX_MISSED_IN_A_ROW):
            saver.start(taker.take(at(step), provenance={}))
            saver.wait()
        saver.start(taker.take(at(9), provenance={}))
        with pytest.raises(UserError, match="make room"):
            saver.wait()


def test_one_success_forgives_the_misses(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    taker = snapshots()
    with Saver(tmp_path, keep=1) as saver:
        saver.start(taker.take(at(1), provenance={}))
        saver.wait()
        assert saver.missed == 1
        full.undo()
        saver.start(taker.take(at(2), provenance={}))
        saver.wait()
        assert saver.missed == 0
