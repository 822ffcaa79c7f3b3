"""The driver of a sweep, and what becomes of its trials when something is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import pytest

from cinelex.sweeps import training
from cinelex.sweeps.driver import Driver
from cinelex.sweeps.outcomes import Outcome, outcomes, winner
from cinelex.sweeps.page import write_page
from cinelex.sweeps.settings import Sweep, Task
from cinelex.sweeps.studies import Studies, open_studies
from cinelex.sweeps.training import MAX_KILLED, Pool, Process, Processes, Slot, cpu_slots
from tests.sweeps import quick_run
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import HEAD, ROOT, WEIGHT, quick_sweep

pytestmark = pytest.mark.slow

KEY = "loss_weights.contrastive"
GRID = HEAD.replace("bayes", "grid") + f"  {KEY}: {{values: [2.5, 1.0, 0.5]}}\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a program that takes no time."""
    monkeypatch.setattr(training, "PROGRAM", "tests.sweeps.quick_run")
    monkeypatch.setattr(training, "POLL_S", 0.02)


@dataclass
class Ended:
    """A run that is over."""

    code: int

    def poll(self) -> int:
        return self.code

    def terminate(self) -> None:
        """Come too late."""


@dataclass
class AtOnce:
    """Runs in the test's own process, each over before the next one begins."""

    sweep: Sweep
    size: int = 1

    def start(self, task: Task) -> Ended:
        log = training.log_of(self.sweep, task.name)
        log.parent.mkdir(exist_ok=True)
        command = training.command(self.sweep, task, Slot(0))
        arguments = command[command.index(training.PROGRAM) + 1 :]
        with log.open("w") as stream, redirect_stderr(stream):
            return Ended(quick_run.main(arguments))


def drive(sweep: Sweep, pool: Pool | None = None) -> tuple[Studies, list[str]]:
    """Run a sweep to its end; return what was tried, and what was said."""
    said: list[str] = []
    studies = open_studies(sweep)
    assert Driver(studies, pool or AtOnce(sweep), said.append).run()
    return studies, said


class Meddling(Processes):
    """Does something to each process that it has started."""

    def __init__(self, sweep: Sweep, meddle: Callable[[Task, Process], None]) -> None:
        super().__init__(sweep, cpu_slots(1, cores=[0]))
        self.meddle = meddle

    def start(self, task: Task) -> Process:
        process = super().start(task)
        self.meddle(task, process)
        return process


def wait_for(record: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while not record.exists() or len(record.read_text().splitlines()) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_slots_finish_a_sweep_with_its_last_comparison(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, count=4, final_seeds=2)
    studies, said = drive(sweep, Processes(sweep, cpu_slots(2, cores=[0, 1])))
    search = outcomes(studies.search)
    assert [one.state for one in search] == ["complete"] * 4
    assert len({json.dumps(one.values) for one in search}) == 4
    assert outcomes(studies.default)[0].state == "complete"
    assert len(said) == 9
    check_final_runs(studies, search)
    page = write_page(studies).read_text()
    assert "What this sweep cannot tell" in page
    assert "default recipe" in page
    before = [outcomes(study) for study in studies]
    _, said = drive(sweep)  # a second time changes nothing
    assert not said
    assert [outcomes(study) for study in studies] == before


def check_final_runs(studies: Studies, search: list[Outcome]) -> None:
    final = outcomes(studies.final)
    assert [(one.recipe, one.state) for one in final] == [
        ("default", "complete"),
        ("winner", "complete"),
    ] * 2
    leader = winner(studies)
    assert leader is not None
    assert leader.value(OBJECTIVE) == max(one.value(OBJECTIVE) for one in search)
    assert all(one.values == leader.values for one in final if one.recipe == "winner")
    split = {
        path.name: json.loads((path / "results.json").read_text())["split"]
        for path in studies.sweep.trials.iterdir()
    }
    finals = {f"final-{name}-seed{seed}" for name in ("default", "winner") for seed in (1000, 1001)}
    assert {name for name, where in split.items() if where == "test"} == finals
    assert set(split.values()) == {"val", "test"}


def test_a_killed_trial_goes_on_in_its_folder_and_is_begun_again_so_often_at_most(
    tmp_path: Path,
) -> None:
    sweep = quick_sweep(tmp_path, count=2)
    starts: list[str] = []

    def kill(task: Task, process: Process) -> None:
        starts.append(task.name)
        doomed = task.name == "search-001-seed0"
        if doomed or starts.count("search-000-seed0") == 1:
            assert isinstance(process, subprocess.Popen)
            process.kill()

    studies = open_studies(sweep)
    assert Driver(studies, Meddling(sweep, kill), lambda text: None).run()
    first, second = outcomes(studies.search)
    assert (first.state, first.begun) == ("complete", 2)
    assert (second.state, second.begun) == ("fail", MAX_KILLED + 1)
    assert "was killed (-9)" in second.error


def test_a_sweep_goes_on_after_its_driver_was_killed(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, count=2)
    program = [sys.executable, "-m", "tests.sweeps.quick_driver", str(sweep.folder)]
    slow = {**os.environ, "QUICK_RUN_S": "0.1"}
    record = sweep.trials / "search-000-seed0" / "metrics.jsonl"
    with subprocess.Popen(program, cwd=ROOT, env=slow) as killed:
        wait_for(record, 2)
        killed.kill()
    left = outcomes(open_studies(sweep).search)[0]
    assert (left.state, left.begun) == ("running", 1)
    studies, _ = drive(sweep)
    search = outcomes(studies.search)
    assert [(one.state, one.begun) for one in search] == [("complete", 2), ("complete", 1)]
    assert search[0].values == left.values
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    assert [row["step"] for row in rows] == [*range(1, 11)]  # what was done was not done again


def test_a_stopped_sweep_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_S", "0.05")
    sweep = quick_sweep(tmp_path, count=2)

    def stop(task: Task, process: Process) -> None:
        if task.name.startswith("search"):
            wait_for(sweep.trials / task.name / "metrics.jsonl", 1)
            signal.raise_signal(signal.SIGTERM)

    studies = open_studies(sweep)
    assert not Driver(studies, Meddling(sweep, stop), lambda text: None).run()
    assert [one.state for one in outcomes(studies.search)] == ["running", "waiting"]
    studies, _ = drive(sweep)
    assert [one.state for one in outcomes(studies.search)] == ["complete"] * 2


def test_a_preempted_trial_goes_on_however_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a scheduler takes the trial's process away, and not the driver
    monkeypatch.setenv("QUICK_RUN_PREEMPTED_EVERY", "1")
    studies, _ = drive(quick_sweep(tmp_path, count=1))
    (one,) = outcomes(studies.search)
    assert (one.state, one.begun) == ("complete", 10)


def test_a_trial_that_fails_by_itself_says_why_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_FAILS", "1")
    studies, said = drive(quick_sweep(tmp_path, GRID, sampler="grid", count=3))
    search = outcomes(studies.search)
    assert [one.state for one in search] == ["complete", "complete", "fail"]
    assert (search[2].begun, search[2].error) == (1, "loss_weights.contrastive is too small")
    assert any("configuration 2: failed: loss_weights.contrastive is too" in one for one in said)


def test_bad_trials_end_early_and_the_page_says_that_their_end_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a run that nobody ends waits before its last step, and the best one is never to be ended
    monkeypatch.setenv("QUICK_RUN_WAITS_BELOW", "0.5")
    sweep = quick_sweep(tmp_path, GRID, sampler="grid", pruner="successive_halving", count=3)
    studies, _ = drive(sweep, Processes(sweep, cpu_slots(1, cores=[0])))
    search = outcomes(studies.search)
    assert [one.state for one in search] == ["complete", "pruned", "pruned"]
    assert [one.values[KEY] for one in search] == [2.5, 1.0, 0.5]
    assert all(len(one.curve) < 10 for one in search[1:])
    assert "2 configurations were ended early" in write_page(studies).read_text()


def test_a_configuration_is_the_mean_of_its_seeds_with_their_interval(tmp_path: Path) -> None:
    studies, _ = drive(quick_sweep(tmp_path, count=1, seeds=3))
    (default,) = outcomes(studies.default)
    assert default.runs == [f"default-000-seed{seed}" for seed in range(3)]
    score = default.scores[OBJECTIVE]
    # 0.7788 at the shipped weight of 2, less 0, 0.01 and 0.02; Student's quantile 4.303
    assert score.value == pytest.approx(0.7788 - 0.01, abs=1e-4)
    assert score.high is not None
    assert score.high - default.value(OBJECTIVE) == pytest.approx(4.303 * 0.01 / 3**0.5, abs=1e-4)
    assert score.nulls["null"].value == 0.01


def test_a_program_that_drops_its_arguments_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK_RUN_DEAF", "1")
    studies, _ = drive(quick_sweep(tmp_path, HEAD + WEIGHT, count=1))
    (one,) = outcomes(studies.search)
    assert one.state == "fail"
    assert "loss_weights.contrastive is 2.0 where" in one.error
    assert "does not pass its arguments on" in one.error


def test_the_winner_of_the_last_comparison_stays_though_a_better_one_is_added(
    tmp_path: Path,
) -> None:
    text = GRID.replace("[2.5, 1.0, 0.5]", "[1.0, 2.5]")
    drive(quick_sweep(tmp_path, text, sampler="grid", count=1, final_seeds=1))
    more = quick_sweep(tmp_path, text, sampler="grid", count=2, final_seeds=1)
    studies, _ = drive(more)
    leader = winner(studies)
    assert leader is not None
    assert leader.values == {KEY: 1.0}
    assert [one.values for one in outcomes(studies.final)] == [{}, {KEY: 1.0}]
    told = write_page(studies).read_text()
    assert "configuration 1 was tried after the final runs had begun" in told


def test_draws_do_not_depend_on_how_often_the_driver_was_started(tmp_path: Path) -> None:
    whole, _ = drive(quick_sweep(tmp_path / "whole", count=3))
    drive(quick_sweep(tmp_path / "parts", count=1))
    parts, _ = drive(quick_sweep(tmp_path / "parts", count=3))
    values = [[one.values for one in outcomes(each.search)] for each in (whole, parts)]
    assert values[0] == values[1]
