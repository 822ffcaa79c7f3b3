"""A run that was killed or stopped ends as the run that was not, to the bit."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cinelex.core import checkpoint
from cinelex.core.exit_codes import INTERRUPTED
from cinelex.runners.record import Record
from tests.scripts.kill_worker import AFTER_STEP, PLACES
from tests.tiny_run import (
    ROOT,
    FinishedRun,
    arguments,
    assert_same_end,
    call,
    rows,
    succeed,
)


@pytest.fixture(scope="module")
def killed(
    tmp_path_factory: pytest.TempPathFactory, study_cache: Path, finished_run: FinishedRun
) -> Path:
    """A folder with runs that were killed, one for each place."""
    assert finished_run.path.exists(), "the studies were made by it"
    folder: Path = tmp_path_factory.mktemp("killed")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.scripts.kill_worker", str(folder), str(study_cache)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


def test_the_killed_runs_were_in_the_middle(killed: Path) -> None:
    first, second = (killed / place for place in PLACES)
    assert rows(first)[-1]["step"] == AFTER_STEP
    assert checkpoint.steps_saved(first / "checkpoints") == [2, 4]
    assert checkpoint.steps_saved(second / "checkpoints") == [2]
    assert (second / "checkpoints" / ".part-4").exists()
    assert not (first / "results.json").exists()


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_run_ends_as_an_uninterrupted_one(
    killed: Path, study_cache: Path, finished_run: FinishedRun, place: str
) -> None:
    said = succeed(arguments(killed, study_cache, f"name={place}"))
    assert "resuming after step" in said
    assert_same_end(killed / place, finished_run.path)
    assert not list((killed / place / "checkpoints").glob(".part-*"))


def test_ctrl_c_saves_and_the_same_command_goes_on(
    tmp_path: Path,
    study_cache: Path,
    finished_run: FinishedRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = arguments(tmp_path, study_cache, "name=stopped")
    write = Record.write

    def write_and_interrupt(self: Record, kind: str, numbers: Mapping[str, Any]) -> None:
        write(self, kind, numbers)
        if kind == "step" and numbers["step"] == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Record, "write", write_and_interrupt)
    code, said, complaints = call(command)
    monkeypatch.undo()
    assert code == INTERRUPTED == 130, complaints
    # the signal came while step 2 was written down: step 3 was in hand, and is saved
    assert checkpoint.steps_saved(tmp_path / "stopped" / "checkpoints") == [2, 3]
    assert "stopped and saved after step 3" in said
    assert not (tmp_path / "stopped" / "results.json").exists()
    succeed(command)
    assert_same_end(tmp_path / "stopped", finished_run.path)
