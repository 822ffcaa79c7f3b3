"""Workers, their trials, and what happens when one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinelex.sweeps import coordinator
from cinelex.sweeps.coordinator import Crew
from cinelex.sweeps.outcomes import Outcome, outcomes, winner
from cinelex.sweeps.page import write_page
from cinelex.sweeps.queues import Queues, fill, open_queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import cpu_slots
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import HEAD, ROOT, WEIGHT, quick_sweep


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the workers run a program that takes no time."""
    monkeypatch.setattr(coordinator, "WORKER", "tests.sweeps.quick_worker")
    monkeypatch.setattr(coordinator, "POLL_S", 0.1)


def crew(sweep: Sweep, said: list[str], workers: int = 2) -> tuple[Crew, Queues]:
    queues = open_queues(sweep)
    fill(queues, sweep)
    return Crew(sweep, cpu_slots(workers, cores=range(workers)), queues, said.append), queues


def test_two_workers_finish_a_sweep_though_one_is_killed_with_a_trial_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_S", "0.05")
    sweep = quick_sweep(tmp_path, count=4, final_seeds=2)
    said: list[str] = []
    team, queues = crew(sweep, said)
    look = Crew._look
    killed: list[int] = []

    def kill_once_and_look(self: Crew) -> None:
        busy = [one for one in outcomes(self.queues.search) if one.state == "running"]
        if busy and not killed:
            killed.append(self.processes[0].pid)
            os.kill(self.processes[0].pid, signal.SIGKILL)
        look(self)

    monkeypatch.setattr(Crew, "_look", kill_once_and_look)
    assert team.run()
    assert killed
    assert any("worker 0 was ended by SIGKILL and is started again" in line for line in said)
    search = outcomes(queues.search)
    assert [one.state for one in search] == ["complete"] * 4
    assert sum(one.tries for one in search) in (4, 5)
    drawn = {json.dumps(one.values, sort_keys=True) for one in search}
    assert len(drawn) == 4  # the worker that was started again did not draw the same again
    assert outcomes(queues.default)[0].state == "complete"
    check_final_runs(sweep, queues, search)
    page = write_page(sweep, queues).read_text()
    assert "What this sweep cannot tell" in page
    assert "default recipe" in page


def check_final_runs(sweep: Sweep, queues: Queues, search: list[Outcome]) -> None:
    final = outcomes(queues.final)
    assert [(one.recipe, one.state) for one in final] == [
        ("default", "complete"),
        ("winner", "complete"),
    ] * 2
    leader = winner(sweep, queues)
    assert leader is not None
    assert leader.scores[OBJECTIVE].value == max(one.scores[OBJECTIVE].value for one in search)
    assert all(one.values == leader.values for one in final if one.recipe == "winner")
    trials = sweep.trials
    split = {
        path.name: json.loads((path / "results.json").read_text())["split"]
        for path in trials.iterdir()
    }
    assert {name: place for name, place in split.items() if name.startswith("final")} == {
        f"final-{name}-seed{seed}": "test"
        for name in ("default", "winner")
        for seed in (1000, 1001)
    }
    assert set(split.values()) == {"val", "test"}
    assert all(place == "val" for name, place in split.items() if not name.startswith("final"))


def test_a_stopped_sweep_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_S", "0.05")
    sweep = quick_sweep(tmp_path, count=2)
    said: list[str] = []
    team, queues = crew(sweep, said, workers=1)
    look = Crew._look

    def stop_and_look(self: Crew) -> None:
        if any(one.state == "running" for one in outcomes(self.queues.search)):
            signal.raise_signal(signal.SIGTERM)
            monkeypatch.setattr(Crew, "_look", look)
        look(self)

    monkeypatch.setattr(Crew, "_look", stop_and_look)
    assert not team.run()
    states = [one.state for one in outcomes(queues.search)]
    assert "waiting" in states
    assert "running" not in states
    again, queues = crew(sweep, said, workers=1)
    assert again.run()
    assert [one.state for one in outcomes(queues.search)] == ["complete"] * 2


def test_a_preempted_trial_goes_on_and_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a scheduler takes the trial's process away, and not the worker
    monkeypatch.setenv("QUICK_RUN_PREEMPTED_AT", "4")
    sweep = quick_sweep(tmp_path, count=1)
    team, queues = crew(sweep, [], workers=1)
    assert team.run()
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries, len(one.curve)) == ("complete", 2, 10)


def test_bad_trials_end_early_and_the_page_says_that_their_end_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a run that nobody ends waits before its last step, and the best one is never to be ended
    monkeypatch.setenv("QUICK_RUN_WAITS_BELOW", "0.5")
    text = HEAD.replace("bayes", "grid") + "  loss_weights.contrastive: {values: [2.5, 1.0, 0.5]}\n"
    sweep = quick_sweep(tmp_path, text, sampler="grid", pruner="successive_halving", count=3)
    said: list[str] = []
    team, queues = crew(sweep, said, workers=1)
    assert team.run()
    search = outcomes(queues.search)
    assert [one.state for one in search] == ["complete", "pruned", "pruned"]
    assert [one.values["loss_weights.contrastive"] for one in search] == [2.5, 1.0, 0.5]
    assert all(len(one.curve) < 10 for one in search[1:])
    assert "2 configurations were ended early" in write_page(sweep, queues).read_text()


def test_a_program_that_drops_its_arguments_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_DEAF", "1")
    sweep = quick_sweep(tmp_path, HEAD + WEIGHT, count=1)
    said: list[str] = []
    team, queues = crew(sweep, said, workers=1)
    team.run()
    (one,) = outcomes(queues.search)
    assert one.state == "failed"
    assert "loss_weights.contrastive is 2.0 where" in one.error
    assert "did not pass the arguments on" in one.error


def test_a_leashed_program_keeps_to_its_core_and_ends_with_its_starter(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    start = (
        "import subprocess, sys, time; from cinelex.sweeps.slots import Slot; "
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
    command = cpu_slots(1, cores=[0])[0].command("tests.sweeps.sleeper", str(pid_file))
    command[command.index(str(os.getpid()))] = str(gone.pid)
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 128 + signal.SIGTERM
    assert not pid_file.exists()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
