"""Ctrl-C is one line and exit code 130, while libraries are loaded and while data are made."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinelex.core.entry import SAID, guarded
from tests.tiny_run import ROOT, arguments

pytestmark = pytest.mark.slow


def start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "cinelex.core.entry", "cinelex.scripts.main", *command],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted(process: "subprocess.Popen[str]") -> str:
    """Send Ctrl-C to the whole group, as a terminal does; return what was said of it."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    return said


def loads(process: "subprocess.Popen[str]", library: str) -> None:
    """Wait until a process has a library in its memory."""
    deadline = time.monotonic() + 60
    while library not in Path(f"/proc/{process.pid}/maps").read_text():
        assert time.monotonic() < deadline, "the library was never loaded"
        time.sleep(0.005)


def test_while_libraries_are_loaded(tmp_path: Path) -> None:
    process = start(arguments(tmp_path, tmp_path / "cache"))
    loads(process, "libtorch_cpu")
    assert interrupted(process) == SAID


def test_while_data_are_made(tmp_path: Path) -> None:
    process = start(arguments(tmp_path, tmp_path / "cache", "data.synthetic.train=5000"))
    made = tmp_path / "cache" / "synthetic"
    deadline = time.monotonic() + 120
    while not list(made.glob("*/videos/*.mp4")) and not list(made.glob(".*/videos/*.mp4")):
        assert time.monotonic() < deadline, "no cine was made"
        assert process.poll() is None
        time.sleep(0.05)
    said = interrupted(process)
    assert said.splitlines()[-1] == SAID.strip()
    assert "Traceback" not in said


def test_what_is_guarded_returns_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    hook, handler = sys.unraisablehook, signal.getsignal(signal.SIGINT)

    def stopped() -> int:
        raise KeyboardInterrupt

    try:
        assert guarded(lambda: 7) == 7
        assert guarded(stopped) == 130
        assert capsys.readouterr().err == SAID
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, handler)
