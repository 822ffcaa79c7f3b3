"""Ctrl-C in the middle of work: one line, exit code 130, nobody left, and the command goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from cinelex.core import checkpoint
from cinelex.core.entry import SAID
from tests.data.conftest import write
from tests.tiny_run import ROOT, FinishedRun, arguments, call

pytestmark = pytest.mark.slow
LIMIT_S = 180.0


def interrupted(module: str, command: list[str], when: Callable[[str], bool]) -> tuple[str, str]:
    """Start a command, press Ctrl-C as soon as something is so, and return what it said.

    Args:
        module: Of ``scripts``.
        command: Its arguments.
        when: Told what stands on standard output so far.
    """
    with TemporaryDirectory() as said:
        out, complaints = Path(said) / "out", Path(said) / "complaints"
        with out.open("w") as told, complaints.open("w") as wrong:
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", "cinelex.core.entry", f"cinelex.scripts.{module}"]
                + command,
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdout=told,
                stderr=wrong,
                start_new_session=True,
            )
        deadline = time.monotonic() + LIMIT_S
        try:
            while not when(out.read_text()):
                assert process.poll() is None, complaints.read_text()
                assert time.monotonic() < deadline, f"it never came to that: {out.read_text()}"
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(timeout=60) == 130, complaints.read_text()
            assert nobody_is_left(process.pid)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        assert "Traceback" not in complaints.read_text()
        return out.read_text(), complaints.read_text()


def nobody_is_left(group: int) -> bool:
    """Return whether all processes of a group end by themselves, within seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def many_videos(folder: Path, count: int) -> Path:
    """Write a manifest over so many videos that decoding them takes a while."""
    sound = write(folder / "videos" / "0.mp4", np.full((60, 96, 96, 3), 90, np.uint8))
    lines = ["study_id,video_path,report,split"]
    for number in range(count):
        # the content differs, or the store would decode it once
        size = (16).to_bytes(4, "big")
        free = size + b"free" + number.to_bytes(8, "big")
        (folder / "videos" / f"{number}.mp4").write_bytes(sound.read_bytes() + free)
        split = ("train", "train", "val", "test")[number % 4]
        lines.append(f"s{number},videos/{number}.mp4,{number}% stenosis of the LAD,{split}")
    path = folder / "studies.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_in_decoding(tmp_path: Path) -> None:
    manifest = many_videos(tmp_path / "set", 600)
    command = arguments(tmp_path, tmp_path / "cache", f"data.manifest={manifest}", "name=ingested")
    command += ["--run_mode", "ingest"]
    frames = tmp_path / "cache" / "frames"
    _, complaints = interrupted("main", command, lambda _: any(frames.glob("*/*")))
    assert complaints.splitlines()[-1] == SAID.strip()
    code, out, complaints = call(command)
    assert code == 0, complaints
    assert "600 videos; 0 studies dropped" in out


def test_in_evaluation(finished_run: FinishedRun) -> None:
    results = (finished_run.path / "results.json").read_bytes()
    saved = checkpoint.steps_saved(finished_run.path / "checkpoints")
    command = [*finished_run.command, "--run_mode", "validate"]
    _, complaints = interrupted("main", command, lambda out: "evaluating on" in out)
    assert complaints == SAID
    assert (finished_run.path / "results.json").read_bytes() == results
    assert checkpoint.steps_saved(finished_run.path / "checkpoints") == saved
