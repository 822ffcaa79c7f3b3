"""Where a trial may run, and how it is kept there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.scripts import launch
from cinelex.sweeps.settings import Task
from cinelex.sweeps.training import LAUNCHER, command, cpu_slots, gpu_slots
from tests.sweeps.quick_sweep import ROOT, quick_sweep


def test_gpus_and_cores_are_shared_out_evenly_or_not_at_all() -> None:
    pairs = gpu_slots(["0", "1", "2", "3"], gpus_per_trial=2)
    assert [slot.gpus for slot in pairs] == [("0", "1"), ("2", "3")]
    assert pairs[1].environment()["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert [slot.cores for slot in cpu_slots(2, cores=[0, 1, 2, 3, 4])] == [(0, 1), (2, 3)]
    assert pairs[0].command("a.b", "c")[-4:] == [sys.executable, "-m", "a.b", "c"]
    with pytest.raises(UserError, match="does not divide"):
        gpu_slots(["0", "1", "2"], gpus_per_trial=2)
    with pytest.raises(UserError, match="twice"):
        gpu_slots(["0", "0"], gpus_per_trial=1)
    with pytest.raises(UserError, match="more than the 2 CPU cores"):
        cpu_slots(3, cores=[0, 1])


def test_a_trial_on_two_gpus_is_given_to_the_launcher_with_two_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slot,) = gpu_slots(["4", "5"], gpus_per_trial=2)
    words = command(quick_sweep(tmp_path), Task("search-000-seed0", {}, seed=0), slot)
    heard: list[tuple[int, list[str]]] = []

    def listen(processes: int, arguments: list[str], **told: object) -> int:
        heard.append((processes, arguments))
        return 0

    monkeypatch.setattr(launch, "launch", listen)
    assert launch.main(words[words.index(LAUNCHER) + 1 :]) == 0
    ((processes, arguments),) = heard
    assert processes == 2
    base = str(tmp_path / "sweep" / "base.yaml")
    assert arguments[:3] == ["cinelex.scripts.main", "--base_config", base]


def test_a_leashed_program_keeps_to_its_core_and_ends_with_its_starter(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    start = (
        "import subprocess, sys, time; from cinelex.sweeps.training import Slot; "
        "subprocess.Popen(Slot(0, cores=(0,)).command(*sys.argv[1:])); time.sleep(60)"
    )
    told = ["tests.sweeps.sleeper", str(pid_file)]
    starter = subprocess.Popen([sys.executable, "-c", start, *told], cwd=ROOT)
    deadline = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid, cores = pid_file.read_text().split()
    assert cores == "0"
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    while _alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(pid))


def test_a_leash_whose_starter_died_before_it_was_up_starts_nothing(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    leashed = cpu_slots(1, cores=[0])[0].command("tests.sweeps.sleeper", str(pid_file))
    leashed[leashed.index(str(os.getpid()))] = str(gone.pid)
    assert subprocess.run(leashed, cwd=ROOT, check=False).returncode == 128 + signal.SIGTERM
    assert not pid_file.exists()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
