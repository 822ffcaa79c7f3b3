"""Several processes start as one and end as the first that failed did."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CHILD = """
import os, signal, sys, time
rank = os.environ["RANK"]
if sys.argv[1] == "names":
    open(f"rank-{rank}", "w").write(" ".join([os.environ["WORLD_SIZE"], *sys.argv[2:]]))
elif sys.argv[1] == "save":
    signal.signal(signal.SIGUSR1, lambda number, frame: sys.exit(75))
    open(f"ready-{rank}", "w").close()
    time.sleep(60)
elif rank == "0":
    time.sleep(60)
elif sys.argv[1] == "refuse":
    sys.stderr.write("error: steps: expected a whole number\\n")
    sys.exit(7)
else:
    os.kill(os.getpid(), signal.SIGKILL)
"""
STARTER = "import sys; from cinelex.scripts.launch import launch; "


def start(folder: Path, *arguments: str, module: str = "child") -> subprocess.Popen[str]:
    """Start two processes of ``CHILD``, or of another module, in ``folder``."""
    (folder / "child.py").write_text(CHILD)
    code = f"{STARTER} sys.exit(launch(2, sys.argv[1:], module='{module}'))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def launch(
    folder: Path, *arguments: str, module: str = "child"
) -> subprocess.CompletedProcess[str]:
    """Start two processes and wait for them."""
    process = start(folder, *arguments, module=module)
    said, complaints = process.communicate()
    return subprocess.CompletedProcess([], process.returncode, said, complaints)


def test_every_process_gets_its_rank_and_the_arguments_as_they_were(tmp_path: Path) -> None:
    ended = launch(tmp_path, "names", "--use_wandb", "a=[1, 2]", "$(touch x)")
    assert ended.returncode == 0, ended.stderr
    for rank in (0, 1):
        assert (tmp_path / f"rank-{rank}").read_text() == "2 --use_wandb a=[1, 2] $(touch x)"


def test_a_failure_keeps_its_exit_code_and_the_last_word(tmp_path: Path) -> None:
    ended = launch(tmp_path, "refuse")
    assert ended.returncode == 7
    assert ended.stderr.splitlines()[-1] == "error: steps: expected a whole number"


def test_the_rank_that_failed_first_shows_its_traceback_and_the_others_end(tmp_path: Path) -> None:
    ended = launch(tmp_path, str(tmp_path), "1", module="tests.scripts.failing_rank")
    assert ended.stderr.count("Traceback (most recent call last)") == 1, ended.stderr
    assert "ValueError: only I know" in ended.stderr
    assert "rank 0 ends, because another one failed" in ended.stderr
    assert ended.returncode == 1, "that of the rank that failed first"


def test_a_main_rank_that_fails_ends_those_that_wait_for_it_without_a_limit(tmp_path: Path) -> None:
    ended = launch(tmp_path, str(tmp_path), "0", module="tests.scripts.failing_rank")
    assert ended.stderr.count("error: bad manifest") == 1, ended.stderr
    assert "rank 1 ends, because another one failed" in ended.stderr
    assert ended.returncode == 2


def test_a_killed_process_is_named(tmp_path: Path) -> None:
    ended = launch(tmp_path, "die")
    assert ended.returncode == 128 + 9
    assert ended.stderr.splitlines()[-1].startswith("error: process 1 of 2 was ended by SIGKILL")


def test_a_signal_reaches_every_process_and_their_exit_code_is_kept(tmp_path: Path) -> None:
    process = start(tmp_path, "save")
    while not all((tmp_path / f"ready-{rank}").exists() for rank in (0, 1)):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR1)
    process.communicate()
    assert process.returncode == 75


def test_a_signal_before_the_first_process_ends_the_launcher() -> None:
    code = "import signal; from cinelex.scripts import launch; signal.signal(15, launch._pass_on); "
    code += "signal.raise_signal(15)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert ended.returncode == 128 + 15
