"""A process that hangs ends with its stacks on the disk, also where nothing of Python can run."""

import subprocess
import sys
from pathlib import Path

import pytest

from cinelex.core.exit_codes import HUNG
from cinelex.runners.watchdog import Watchdog
from tests.tiny_run import ROOT

pytestmark = pytest.mark.slow

HANGING = """
import ctypes, os, sys, time
from pathlib import Path
import cinelex.runners.watchdog
from cinelex.runners.watchdog import GRACE, Watchdog

def stuck_in_the_model(how):
    if how == "lock":
        ctypes.PyDLL(None).sleep(60)  # PyDLL keeps the interpreter's lock
    time.sleep(60)

for how, grace in (("sleep", 100.0), ("lock", GRACE)):
    # faulthandler comes only where the interpreter's own thread cannot
    cinelex.runners.watchdog.GRACE = grace
    if os.fork() == 0:
        folder = Path(sys.argv[1], how)
        with Watchdog(folder, limit_s=2.0, last_checkpoint=lambda: "step-40") as watchdog:
            watchdog.beat(41)
            stuck_in_the_model(how)
    _, status = os.wait()
    sys.stdout.write(f"{how} {os.waitstatus_to_exitcode(status)}\\n")
    sys.stdout.flush()
"""


def test_a_hang_ends_with_stacks_and_the_last_checkpoint(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGING, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines() == [f"sleep {HUNG}", "lock 1"]
    assert ended.stderr.count("rank 0 made no progress for 2 s after step 41") == 1
    for how in ("sleep", "lock"):
        stacks = (tmp_path / how / "stacks-0.txt").read_text()
        assert "stuck_in_the_model" in stacks
        assert "last checkpoint: step-40" in stacks.splitlines()[0]


def test_a_run_that_goes_on_leaves_nothing(tmp_path: Path) -> None:
    with Watchdog(tmp_path, limit_s=60.0, last_checkpoint=lambda: "none") as watchdog:
        watchdog.beat(1)
        assert (tmp_path / "heartbeat-0.json").exists()
    assert list(tmp_path.iterdir()) == []
