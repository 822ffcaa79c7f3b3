"""The job scripts, with programs of the same names in place of SLURM's."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "slurm"
PROGRAMS = {
    "srun": 'printf "%s\\n" "$@" > "$SAID/srun.said"; exit "$SRUN_ENDS_WITH"',
    "scontrol": '[ "$1" = show ] && echo node1 && echo node2 || echo "$@" > "$SAID/scontrol.said"',
}


def submit(
    folder: Path, script: str, *arguments: str, ends_with: int = 0, **environment: str
) -> tuple[int, list[str], str]:
    """Run a job script; return its exit code, what srun was to start, and what was requeued."""
    for name, body in PROGRAMS.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    ended = subprocess.run(
        ["bash", str(SCRIPTS / script), *arguments],
        env={
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "SAID": str(folder),
            "SRUN_ENDS_WITH": str(ends_with),
            "SLURM_SUBMIT_DIR": str(folder),
            "SLURM_JOB_ID": "41234",
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_NNODES": "2",
            "SLURM_GPUS_ON_NODE": "8",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = {
        name: (folder / f"{name}.said").read_text() if (folder / f"{name}.said").exists() else ""
        for name in PROGRAMS
    }
    return ended.returncode, said["srun"].splitlines(), said["scontrol"]


def test_the_nodes_meet_at_the_first_one(tmp_path: Path) -> None:
    code, started, requeued = submit(tmp_path, "train.sbatch", "--base_config", "a.yaml", "name=x")
    assert (code, requeued) == (0, "")
    assert started[1:] == [
        f"{tmp_path}/.venv/bin/python",
        *("-m", "cinelex.scripts.launch", "--processes", "8", "--nodes", "2"),
        *("--rendezvous", "node1:21234", "--job", "41234", "--base_config", "a.yaml", "name=x"),
    ]


@pytest.mark.parametrize(("ends_with", "requeued"), [(75, True), (138, True), (2, False)])
def test_a_preempted_job_goes_back_into_the_queue(
    tmp_path: Path, ends_with: int, requeued: bool
) -> None:
    code, _, asked = submit(tmp_path, "train.sbatch", "name=x", ends_with=ends_with)
    assert code == ends_with
    assert asked == ("requeue 41234\n" if requeued else "")


def test_a_task_of_an_array_is_a_seed_with_a_run_of_its_own(tmp_path: Path) -> None:
    _, started, _ = submit(tmp_path, "train.sbatch", "name=x", SLURM_ARRAY_TASK_ID="3")
    assert started[-2:] == ["seed=3", "name=x-seed3"]
    assert "name=x" not in started  # a key that is given twice is refused
    code, *_ = submit(tmp_path, "train.sbatch", "--print_config", SLURM_ARRAY_TASK_ID="3")
    assert code != 0


@pytest.mark.parametrize(
    ("script", "program"),
    [("ingest.sbatch", "cinelex.scripts.main"), ("sweep.sbatch", "run_sweep.sh")],
)
def test_the_other_scripts_pass_their_arguments_on(
    tmp_path: Path, script: str, program: str
) -> None:
    code, started, _ = submit(tmp_path, script, "--base_config", "a b.yaml")
    assert code == 0
    assert any(program in word for word in started)
    assert started[-2:] == ["--base_config", "a b.yaml"]


def test_a_sweep_on_several_nodes_is_started_by_ray_on_each(tmp_path: Path) -> None:
    _, started, _ = submit(tmp_path, "sweep.sbatch", "--resume")
    assert started == [
        f"{tmp_path}/.venv/bin/ray",
        *("symmetric-run", "--address", "node1:21234", "--min-nodes", "2", "--"),
        *("bash", "scripts/run_sweep.sh", "--engine", "ray", "--resume"),
    ]
    _, started, _ = submit(tmp_path, "sweep.sbatch", "--resume", SLURM_NNODES="1")
    assert started == ["bash", "scripts/run_sweep.sh", "--resume"]


@pytest.mark.parametrize(("ends_with", "requeued"), [(130, True), (2, False)])
def test_a_sweep_that_was_stopped_goes_back_into_the_queue(
    tmp_path: Path, ends_with: int, requeued: bool
) -> None:
    code, _, asked = submit(tmp_path, "sweep.sbatch", "--resume", ends_with=ends_with)
    assert code == ends_with
    assert asked == ("requeue 41234\n" if requeued else "")
