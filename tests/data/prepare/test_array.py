"""The job script of the array, run for real: two parts, one of them killed on its way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinelex.core.processes import child_environment
from tests.data.prepare.exports import assert_equal, begun_like, run, small_export

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("by_hand")]
SCRIPT = Path(__file__).parents[3] / "scripts" / "slurm" / "prepare.sbatch"
PARTS = 2


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A folder with a program in place of SLURM's, and this Python where the script looks."""
    for name, body in (("srun", 'exec "$@"'), (".venv/bin/python", f'exec {sys.executable} "$@"')):
        program = tmp_path / "cluster" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/bash\n{body}\n")
        program.chmod(0o755)
    return tmp_path / "cluster"


def submit(cluster: Path, export: Path, out: Path, task: int | None) -> "subprocess.Popen[bytes]":
    """Start what SLURM starts: a task of the array, or the job that joins (None)."""
    array = {
        "SLURM_ARRAY_TASK_ID": str(task),
        "SLURM_ARRAY_TASK_MIN": "0",
        "SLURM_ARRAY_TASK_COUNT": str(PARTS),
    }
    return subprocess.Popen(
        ["bash", str(SCRIPT), f"--dicom={export}", f"--out={out}", "min_confidence=0", "workers=1"],
        env={
            **child_environment(),
            "PATH": f"{cluster}{os.pathsep}{os.environ['PATH']}",
            "SLURM_SUBMIT_DIR": str(cluster),
            **({} if task is None else array),
        },
    )


def test_a_part_that_is_killed_is_gone_on_with_by_another(cluster: Path, tmp_path: Path) -> None:
    export, whole = small_export(tmp_path / "export"), tmp_path / "whole"
    run(export, whole)
    out = begun_like(whole, tmp_path / "out")
    tasks = [submit(cluster, export, out, task) for task in range(PARTS)]
    files = out / "private" / "files"
    while tasks[1].poll() is None and not (files.is_dir() and list(files.glob("*.parquet"))):
        time.sleep(0.01)
    tasks[1].send_signal(signal.SIGKILL)
    assert [task.wait() for task in tasks] == [0, -signal.SIGKILL]
    assert not (out / "manifest.parquet").exists()
    assert submit(cluster, export, out, 1).wait() == 0  # SLURM starts it again, on another node
    assert submit(cluster, export, out, None).wait() == 0
    assert_equal(out, whole)
