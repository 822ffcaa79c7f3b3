"""A W&B agent's runs among the configurations, without a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, PREEMPTED
from cinelex.core.locks import sole_user
from cinelex.sweeps import training, wandb_agent
from cinelex.sweeps.outcomes import Outcome, outcomes, read_back
from cinelex.sweeps.settings import Sweep, Task, overrides
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import Slot
from cinelex.sweeps.wandb_agent import Agent
from tests.sweeps import quick_run
from tests.sweeps.quick_sweep import quick_sweep

KEY = "loss_weights.contrastive"
NAME = "wandb-r1"


class KilledError(BaseException):
    """Nothing after this is done, as after SIGKILL."""


def sent(monkeypatch: pytest.MonkeyPatch, folder: Path, value: float) -> None:
    """Leave a run behind as W&B's agent does before it calls."""
    path = folder / "chosen.yaml"
    path.write_text(yaml.safe_dump({KEY: {"value": value}}))
    monkeypatch.setenv("WANDB_RUN_ID", "r1")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))


def ending(monkeypatch: pytest.MonkeyPatch, *how: int | BaseException) -> list[str]:
    """Let each training end like this; return the names of those that were begun."""
    begun: list[str] = []
    left: Iterator[int | BaseException] = iter(how)

    def start(sweep: Sweep, task: Task, slot: Slot) -> int:
        begun.append(task.name)
        answer = next(left)
        if isinstance(answer, BaseException):
            raise answer
        if answer == 0:
            base = str(sweep.folder / "base.yaml")
            assert quick_run.main(["--base_config", base, *overrides(sweep, task)]) == 0
        return answer

    monkeypatch.setattr(training, "start", start)
    monkeypatch.setattr(training, "finish", lambda code: code)
    return begun


def entered(sweep: Sweep) -> Outcome:
    studies = open_studies(sweep)
    read_back(studies)
    (one,) = outcomes(studies.search)
    return one


def test_a_run_that_was_stopped_or_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    begun = ending(monkeypatch, PREEMPTED, -9, 0)
    sent(monkeypatch, tmp_path, 2.0)
    Agent(sweep, Slot(0)).run_one()
    assert begun == [NAME] * 3
    one = entered(sweep)
    assert (one.state, one.values, one.runs) == ("complete", {KEY: 2.0}, [NAME])
    assert one.seconds is not None


def test_a_run_that_ended_while_its_agent_was_killed_is_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    ending(monkeypatch, 0)
    sent(monkeypatch, tmp_path, 2.0)

    def killed(*others: Any) -> None:
        raise KilledError

    monkeypatch.setattr(wandb_agent, "check_recorded", killed)
    with pytest.raises(KilledError):
        Agent(sweep, Slot(0)).run_one()
    assert entered(sweep).state == "complete"


def test_a_run_that_failed_says_why_and_one_that_the_server_ended_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, ended = quick_sweep(tmp_path / "fail"), quick_sweep(tmp_path / "ended")
    ending(monkeypatch, BAD_INPUT, KilledError())
    sent(monkeypatch, tmp_path, 2.0)
    log = training.log_of(failed, NAME)
    log.parent.mkdir()
    log.write_text("error: no such file\n")
    with pytest.raises(UserError):
        Agent(failed, Slot(0)).run_one()
    assert (entered(failed).state, entered(failed).error) == ("fail", "no such file")
    with pytest.raises(KilledError):
        Agent(ended, Slot(0)).run_one()
    assert entered(ended).state == "pruned"


def test_the_last_comparison_waits_for_a_run_that_another_node_still_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    ending(monkeypatch, 0)
    sent(monkeypatch, tmp_path, 2.0)
    Agent(sweep, Slot(0)).run_one()
    looks: list[float] = []
    with sole_user(sweep.trials / NAME):

        def leave_at_the_third_look(seconds: float) -> None:
            looks.append(seconds)
            assert not outcomes(studies.search)
            if len(looks) == 3:
                monkeypatch.setattr("cinelex.sweeps.outcomes.in_use", lambda folder: False)

        monkeypatch.setattr("time.sleep", leave_at_the_third_look)
        studies = open_studies(sweep)
        read_back(studies)
    assert len(looks) == 3
    assert [one.state for one in outcomes(studies.search)] == ["complete"]


@pytest.mark.parametrize(("failures", "code"), [(3, 2), (2, 0)])
def test_an_agent_that_gave_up_does_not_end_as_if_nothing_was_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failures: int,
    code: int,
) -> None:
    sweep = quick_sweep(tmp_path)

    def calls(sweep_id: str, *, function: Any) -> None:
        for _ in range(failures):
            sent(monkeypatch, tmp_path, 9.5)
            with pytest.raises(UserError):
                function()

    monkeypatch.setattr(wandb_agent, "made_sweep", lambda sweep: "p/s")
    monkeypatch.setattr("wandb.agent", calls)
    monkeypatch.setattr("wandb.teardown", lambda: None)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    slot = '{"number": 0, "gpus": [], "cores": [0]}'
    assert wandb_agent.work(str(sweep.folder), slot) == code
    assert ("gave up: 3 runs failed" in capsys.readouterr().err) is (code == 2)
