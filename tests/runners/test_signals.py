"""Signals end a run with everything saved."""

import signal
from pathlib import Path
from typing import Any

import pytest

from cinelex.core import checkpoint
from cinelex.runners import saving
from tests.runners.line_project import (
    LineProject,
    steps,
    trainer,
)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGINT, "interrupted"),
        (signal.SIGTERM, "preempted"),
        (signal.SIGUSR1, "preempted"),
    ],
)
def test_a_signal_saves_the_step_in_hand(
    tmp_path: Path, number: signal.Signals, cause: str
) -> None:
    def interrupt(step: int) -> None:
        if step == 4:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    line = trainer(tmp_path, LineProject(at_step=interrupt))
    assert not line.run()
    assert line.cause == cause
    assert signal.getsignal(number) == before
    assert steps(tmp_path) == [1, 2, 3, 4, 5]
    assert checkpoint.steps_saved(tmp_path / "checkpoints") == [3, 5]
    again = trainer(tmp_path)
    assert again.step == 5
    assert again.run()
    assert steps(tmp_path) == list(range(1, 9))


def test_signals_while_the_last_checkpoint_is_written_end_neither_the_write_nor_get_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file = vars(saving)["save_tensors"]

    def ask_and_save(tensors: Any, path: Path) -> None:
        if path.parent.name == ".part-8":
            signal.raise_signal(signal.SIGTERM)
        save_file(tensors, path)

    monkeypatch.setitem(vars(saving), "save_tensors", ask_and_save)
    obeyed: list[int] = []
    outer = signal.signal(signal.SIGTERM, lambda number, frame: obeyed.append(number))
    line = trainer(tmp_path)
    try:
        assert not line.run()
    finally:
        signal.signal(signal.SIGTERM, outer)
    assert obeyed == []
    assert line.cause == "preempted"
    assert checkpoint.steps_saved(tmp_path / "checkpoints")[-1] == 8
    assert trainer(tmp_path).run(), "the same command goes on with what comes after training"


def test_nobody_enters_a_collective_while_the_main_rank_waits_for_its_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, order = trainer(tmp_path), []
    take = line.snapshots.take

    def taken(*given: Any, **named: Any) -> Any:
        order.append("gather")
        return take(*given, **named)

    monkeypatch.setattr(line.saver, "wait", lambda: order.append("disk"))
    monkeypatch.setattr(line.snapshots, "take", taken)
    monkeypatch.setattr("cinelex.runners.train.barrier", lambda: order.append("barrier"))
    line.save()
    assert order == ["disk", "barrier", "gather"]
    line.books.close()
