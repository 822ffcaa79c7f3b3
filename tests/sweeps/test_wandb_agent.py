"""A W&B agent's runs among the configurations of all nodes, without a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.trial import TrialState

from cinelex.core.errors import UserError
from cinelex.sweeps import wandb_agent
from cinelex.sweeps.outcomes import outcomes
from cinelex.sweeps.queues import fill, open_queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import cpu_slots
from cinelex.sweeps.tickets import tries_of
from cinelex.sweeps.training import TrialError
from cinelex.sweeps.wandb_agent import Agent
from cinelex.sweeps.wandb_backend import OnServer
from tests.sweeps.quick_sweep import quick_sweep
from tests.sweeps.quick_training import RESULTS

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
KEY = "loss_weights.contrastive"


class KilledError(BaseException):
    """Nothing after this is done, as after SIGKILL."""


def agent(sweep: Sweep, name: str = "me") -> Agent:
    return Agent(sweep, cpu_slots(1, cores=[0])[0], open_queues(sweep), name)


def sent(monkeypatch: pytest.MonkeyPatch, folder: Path, value: float, run_id: str = "r1") -> None:
    """Leave a run behind as W&B's agent does before it calls."""
    path = folder / "chosen.yaml"
    path.write_text(yaml.safe_dump({KEY: {"value": value}}))
    monkeypatch.setenv("WANDB_RUN_ID", run_id)
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(path))


def ending(monkeypatch: pytest.MonkeyPatch, *how: str | BaseException) -> list[str]:
    """Let each training end like this; return the names of those that were begun."""
    begun: list[str] = []
    left: Iterator[str | BaseException] = iter(how)

    def train(sweep: Sweep, task: Any, *others: Any, **told: Any) -> str:
        begun.append(task.name)
        answer = next(left)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(wandb_agent, "train", train)
    monkeypatch.setattr(wandb_agent, "measured", lambda sweep, task: RESULTS)
    monkeypatch.setattr(wandb_agent, "record_hash", str)
    return begun


def test_a_run_that_somebody_else_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    begun = ending(monkeypatch, "stopped", "stopped", "finished")
    sent(monkeypatch, tmp_path, 2.0)
    quick = agent(sweep)
    quick.run_one()
    assert begun == ["wandb-r1"] * 3
    (one,) = outcomes(quick.queues.search)
    assert (one.state, one.values) == ("complete", {KEY: 2.0})


def test_the_final_runs_wait_for_a_run_that_another_node_still_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, final_seeds=1)
    here = open_queues(sweep)
    fill(here, sweep, search=False)
    here.default.tell(here.default.ask(), 0.5)
    seen: list[tuple[str, bool]] = []

    def look(sweep: Sweep, task: Any, *others: Any, **told: Any) -> str:
        seen.append((outcomes(here.search)[0].state, here.next_queue() is None))
        return "finished"

    ending(monkeypatch)
    monkeypatch.setattr(wandb_agent, "train", look)
    sent(monkeypatch, tmp_path, 2.0)
    agent(sweep).run_one()
    assert seen == [("running", True)]
    assert here.next_queue() is here.final


def test_a_run_that_ended_while_its_agent_was_killed_is_entered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    begun = ending(monkeypatch, "finished")
    sent(monkeypatch, tmp_path, 2.0)
    (sweep.trials / "wandb-r1").mkdir(parents=True)
    (sweep.trials / "wandb-r1" / "results.json").write_text("{}")

    def killed(*others: Any, **told: Any) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(Agent, "_keep", killed)
        dying.setattr(Agent, "_end", lambda *others: None)
        with pytest.raises(KilledError):
            agent(sweep).run_one()
    again = agent(sweep)
    assert [one.state for one in outcomes(again.queues.search)] == ["running"]
    again.keep_forgotten()
    agent(sweep, "another").keep_forgotten()
    (one,) = outcomes(again.queues.search)
    assert (one.state, one.values, one.runs) == ("complete", {KEY: 2.0}, ["wandb-r1"])
    (tries,) = tries_of(again.queues.search).values()
    assert [try_.state for try_ in tries] == [TrialState.FAIL, TrialState.COMPLETE]
    assert begun == ["wandb-r1"]


def test_a_run_that_failed_says_why_and_is_not_entered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    ending(monkeypatch, TrialError("no such file"))
    sent(monkeypatch, tmp_path, 2.0)
    quick = agent(sweep)
    with pytest.raises(TrialError):
        quick.run_one()
    quick.keep_forgotten()
    (one,) = outcomes(quick.queues.search)
    assert (one.state, one.error) == ("failed", "no such file")


@pytest.mark.parametrize(("failures", "code"), [(3, 2), (2, 0)])
def test_an_agent_that_gave_up_does_not_end_as_if_nothing_was_left(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failures: int,
    code: int,
) -> None:
    sweep = quick_sweep(tmp_path)
    ending(monkeypatch)

    def calls(sweep_id: str, *, function: Any, entity: str | None, project: str) -> None:
        for _ in range(failures):
            sent(monkeypatch, tmp_path, 9.5)
            with pytest.raises(UserError):
                function()

    monkeypatch.setattr(wandb_agent, "open_sweep", lambda sweep: OnServer("s", "p", None))
    monkeypatch.setattr("wandb.agent", calls)
    monkeypatch.setattr("wandb.teardown", lambda: None)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    slot = '{"number": 0, "gpus": [], "cores": [0]}'
    assert wandb_agent.main([str(sweep.folder), slot]) == code
    assert ("gave up: 3 runs failed" in capsys.readouterr().err) is (code == 2)
