"""What becomes of workers and of those who look on while a sweep's database does not answer."""

import threading
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import Trial

from cinelex.sweeps import worker as worker_module
from cinelex.sweeps.coordinator import Crew
from cinelex.sweeps.queues import Queues, StorageError, open_queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import cpu_slots
from tests.sweeps.quick_sweep import filled, quick_sweep
from tests.sweeps.quick_training import answering, quick_worker

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")


def test_the_sign_of_life_survives_a_database_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = filled(quick_sweep(tmp_path, count=1))
    heard = threading.Event()

    def not_there(self: RDBStorage, trial: int) -> None:
        heard.set()
        raise StorageInternalError("gone")

    monkeypatch.setattr(RDBStorage, "record_heartbeat", not_there)

    def objective(trial: Trial) -> float:
        assert heard.wait(60)
        return 1.0

    # an error in Optuna's thread would be a warning here, and warnings are errors
    queues.search.optimize(objective, n_trials=1)
    assert heard.is_set()


def test_a_worker_waits_for_a_database_that_is_away_and_in_the_end_asks_to_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = quick_sweep(tmp_path, count=1)
    filled(sweep)
    answering(monkeypatch, lambda: iter([]))
    tries: list[str] = []

    def away_twice(sweep: Sweep, *, sampler_key: str) -> Queues:
        tries.append(sampler_key)
        if len(tries) < 3:
            raise StorageError("away")
        return open_queues(sweep, sampler_key=sampler_key)

    monkeypatch.setattr(worker_module, "open_queues", away_twice)
    assert quick_worker(sweep).work() == 0
    assert tries == ["me"] * 3
    tries.clear()
    monkeypatch.setattr(worker_module, "AWAY_S", -1.0)
    slot = '{"number": 0, "gpus": [], "cores": [0]}'
    assert worker_module.main([str(sweep.folder), slot]) == 69  # 2 would end the whole sweep
    assert "away" in capsys.readouterr().err


def test_a_coordinator_without_news_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=1)
    queues = filled(sweep)
    team = Crew(sweep, cpu_slots(1, cores=[0]), queues, lambda text: None)
    looks: list[int] = []

    def no_news(self: Crew) -> None:
        looks.append(1)
        raise StorageInternalError("gone")

    def two_looks(self: Crew) -> None:
        if len(looks) == 2:
            self.processes[0].kill()
            self.processes.pop(0).wait()

    monkeypatch.setattr("cinelex.sweeps.coordinator.POLL_S", 0.0)
    monkeypatch.setattr("cinelex.sweeps.coordinator.WORKER", "tests.sweeps.sleeper")
    monkeypatch.setattr(Crew, "_tell_news", no_news)
    monkeypatch.setattr(Crew, "_look", two_looks)
    assert team.run()
    assert len(looks) == 3
