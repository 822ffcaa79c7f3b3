"""What becomes of a configuration whose worker stopped, died, or was refused."""

from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState
from sqlalchemy import text

from cinelex.sweeps import training
from cinelex.sweeps.names import abandoned, own_name
from cinelex.sweeps.outcomes import outcomes, winner
from cinelex.sweeps.page import write_page
from cinelex.sweeps.queues import Queues
from cinelex.sweeps.slots import cpu_slots
from cinelex.sweeps.task import Task
from cinelex.sweeps.tickets import ERROR, STOPPED, WORKER
from cinelex.sweeps.training import InUseError, TrialError, train
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import filled, quick_sweep
from tests.sweeps.quick_training import answering, quick_worker

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
KEY = "loss_weights.contrastive"


def taken(queues: Queues, study: optuna.Study, worker: str = "me") -> Trial:
    queues.claim(study, worker)
    return study.ask()


def fail(study: optuna.Study, trial: Trial) -> None:
    study.tell(trial, state=TrialState.FAIL)


def silence(queues: Queues) -> None:
    """Let the last sign of life of every trial be long ago."""
    with queues.storage.engine.begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2000-01-01 00:00:00'"))


def complete(queues: Queues, trial: Trial, study: optuna.Study, value: float) -> None:
    score = {"value": value, "low": None, "high": None, "null": None}
    trial.set_user_attr("scores", {OBJECTIVE: score})
    study.tell(trial, value)


def test_a_trial_whose_node_is_silent_is_begun_again_with_its_values(tmp_path: Path) -> None:
    queues = filled(quick_sweep(tmp_path, count=1))
    lost = taken(queues, queues.search, "on a node that is gone")
    value = lost.suggest_float(KEY, 1.5, 3.0)
    queues.mend()
    assert [one.state for one in outcomes(queues.search)] == ["running"]
    silence(queues)
    queues.mend()
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries) == ("waiting", 1)
    again = taken(queues, queues.search)
    assert again.suggest_float(KEY, 1.5, 3.0) == value
    assert queues.search.trials[lost.number].state == TrialState.FAIL


def test_a_trial_whose_worker_died_before_it_said_a_word_is_not_lost(tmp_path: Path) -> None:
    queues = filled(quick_sweep(tmp_path, count=2))
    for worker in ("here", "on a node that is gone"):
        taken(queues, queues.search, worker)
    assert queues.take_back("here") == 1  # at once, where a worker is started again
    queues.mend()
    assert [one.state for one in outcomes(queues.search)] == ["waiting", "running"]
    silence(queues)
    queues.mend()
    assert [one.state for one in outcomes(queues.search)] == ["waiting", "waiting"]


def test_a_configuration_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    queues = filled(quick_sweep(tmp_path, count=1, retries=2))
    for _ in range(3):
        taken(queues, queues.search)
        assert queues.take_back("me") == 1
        queues.mend()
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries, one.error) == ("failed", 3, "its worker died too often")


def test_a_worker_killed_between_the_end_of_its_trial_and_the_next_word_loses_nothing(
    tmp_path: Path,
) -> None:
    queues = filled(quick_sweep(tmp_path, count=1, final_seeds=1))
    complete(queues, taken(queues, queues.default), queues.default, 0.5)
    trial = taken(queues, queues.search)
    value = trial.suggest_float(KEY, 1.5, 3.0)
    fail(queues.search, trial)
    # nothing waits and nothing runs, and still nobody may take a winner for the best
    assert queues.next_queue() is None
    assert not queues.done()
    assert outcomes(queues.search)[0].state == "waiting"
    queues.mend()
    queues.mend()  # whoever comes next has nothing to add
    assert [one.state for one in queues.search.trials] == [TrialState.FAIL, TrialState.WAITING]
    assert WORKER not in queues.search.trials[1].user_attrs
    assert taken(queues, queues.search).suggest_float(KEY, 1.5, 3.0) == value


def test_a_polite_stop_is_no_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = quick_sweep(tmp_path, count=1, retries=1)
    queues = filled(sweep)
    asked = answering(monkeypatch, lambda: iter(["finished", *["stopped"] * 6]))
    assert quick_worker(sweep).work() == 0
    assert asked == ["default-000-seed0", *["search-000-seed0"] * 7]
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries) == ("complete", 7)
    assert [STOPPED in try_.user_attrs for try_ in queues.search.trials] == [True] * 6 + [False]


def test_what_was_refused_is_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=1, final_seeds=1)
    queues = filled(sweep)
    asked = answering(monkeypatch, lambda: iter(["finished", TrialError("no such file")]))
    assert quick_worker(sweep).work() == 0
    assert asked == ["default-000-seed0", "search-000-seed0", "final-default-seed1000"]
    assert [(one.state, one.error) for one in outcomes(queues.search)] == [
        ("failed", "no such file")
    ]
    last = outcomes(queues.final)[1]
    assert last.error == "no configuration was completed, so there is no winner"


def test_what_a_database_that_was_away_cost_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=1)
    queues = filled(sweep)
    answering(monkeypatch, lambda: iter(["finished", StorageInternalError("gone"), "finished"]))
    with pytest.raises(StorageInternalError):  # this ends the worker; the coordinator starts it
        quick_worker(sweep).work()
    assert quick_worker(sweep).work() == 0
    assert [(one.state, one.tries) for one in outcomes(queues.search)] == [("complete", 2)]


def test_a_run_in_other_hands_is_begun_again_and_its_worker_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path / "one", count=1)
    queues = filled(sweep)
    answering(monkeypatch, lambda: iter(["finished", InUseError("locked"), "finished"]))
    assert quick_worker(sweep).work() == 0
    assert [(one.state, one.tries) for one in outcomes(queues.search)] == [("complete", 2)]


def test_a_run_that_another_process_does_not_leave_is_said_to_be_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path)
    monkeypatch.setattr(training, "ORPHAN_S", -1.0)
    task = Task("search-000-seed0", {KEY: 2.0}, seed=0)
    slot = cpu_slots(1, cores=[0])[0]
    with (
        training._alone(sweep.folder / "locks" / task.name),
        pytest.raises(InUseError, match="another process still runs it"),
    ):
        train(sweep, task, slot, watch=lambda row: False, asked_to_stop=lambda: False)


def test_all_final_runs_are_of_one_winner_though_a_better_one_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=1, final_seeds=2)
    queues = filled(sweep)
    asked = answering(monkeypatch, lambda: iter(["finished"] * 4 + [StorageInternalError("gone")]))
    with pytest.raises(StorageInternalError):
        quick_worker(sweep).work()
    assert asked[-2:] == ["final-winner-seed1000", "final-default-seed1001"]
    queues = filled(quick_sweep(tmp_path, count=2, final_seeds=2))
    better = taken(queues, queues.search)
    better.set_user_attr("values", {KEY: 2.5})
    complete(queues, better, queues.search, 0.9)
    assert quick_worker(sweep).work() == 0
    leader = winner(sweep, queues)
    assert leader is not None
    assert leader.ticket == 0
    compared = [one.values for one in outcomes(queues.final) if one.recipe == "winner"]
    assert compared == [leader.values] * 2
    told = write_page(sweep, queues).read_text()
    assert "configuration 1 was tried after the final runs had begun" in told


def test_a_name_belongs_to_one_living_worker_and_a_new_one_takes_from_the_dead_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=3)
    queues = filled(sweep)
    with own_name(sweep.folder) as first:
        with own_name(sweep.folder) as second:
            assert first != second
            assert not list(abandoned(sweep.folder))
            for name in (first, second):
                taken(queues, queues.search, name)
        # the second has died; the same slot of another coordinator begins
        with own_name(sweep.folder) as third:
            assert third == second
            quick_worker(sweep, third)
            queues.mend()
            states = [one.state for one in outcomes(queues.search)]
            assert states == ["running", "waiting", "waiting"]
    assert list(abandoned(sweep.folder)) == [first, second]
    with own_name(sweep.folder) as fourth:
        quick_worker(sweep, fourth)
    queues.mend()
    assert [one.state for one in outcomes(queues.search)] == ["waiting"] * 3


def test_a_reason_stands_on_a_trial_before_it_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = filled(quick_sweep(tmp_path, count=1))
    trial = taken(queues, queues.search)
    trial.set_user_attr(ERROR, "refused")
    assert outcomes(queues.search)[0].state == "running"
    fail(queues.search, trial)
    queues.mend()
    assert [one.error for one in outcomes(queues.search)] == ["refused"]
