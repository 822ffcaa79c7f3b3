"""A database of several nodes, and what becomes of a trial whose node went away."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from core.errors import UserError
from sweeps import queues as queues_module
from sweeps.outcomes import outcomes
from sweeps.queues import fill, known_experiments, open_queues
from sweeps.slots import cpu_slots
from tests.sweeps.quick_sweep import HEAD, ROOT, WEIGHT, quick_sweep


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server of our own on a free port of the loopback interface."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr/pgsql").glob("*/bin")]
    if not found:
        pytest.skip("no PostgreSQL; on Debian: the package postgresql")
    programs = sorted(found)[-1]
    # the server refuses to be root, and every user on its path must let it in
    user = "postgres" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(home, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(home / "data")
    try:
        create = [str(programs / "initdb"), "-D", data, "-U", "sweeper", "-A", "trust", "-N"]
        subprocess.run(create, check=True, user=user, capture_output=True, cwd=home)
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -F"
        control = [str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(home / "log")]
        subprocess.run(
            [*control, "-o", options, "start"],
            check=True,
            user=user,
            cwd=home,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield f"postgresql+psycopg://sweeper@127.0.0.1:{port}/postgres"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
    finally:
        shutil.rmtree(home)


def test_two_nodes_share_a_sweep_in_postgresql_and_no_configuration_is_run_twice(
    tmp_path: Path,
) -> None:
    text = (
        HEAD.replace("bayes", "grid") + "  loss_weights.contrastive: {values: [1.5, 2, 2.5, 3]}\n"
    )
    with postgres() as address:
        here = quick_sweep(tmp_path / "here", text, storage=address, sampler="grid", final_seeds=1)
        there = quick_sweep(
            tmp_path / "there", text, storage=address, sampler="grid", final_seeds=1
        )
        queues = open_queues(here)
        fill(queues, here)
        fill(queues, here)  # a second time changes nothing
        slot = cpu_slots(1, cores=[0])[0]
        nodes = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.sweeps.quick_worker",
                    str(node.folder),
                    json.dumps(asdict(slot)),
                ],
                cwd=ROOT,
                env={**os.environ, "QUICK_RUN_S": "0.1"},
                stdout=subprocess.DEVNULL,
            )
            for node in (here, there)
        ]
        assert [node.wait() for node in nodes] == [0, 0]
        search = outcomes(queues.search)
        assert [(one.state, one.tries) for one in search] == [("complete", 1)] * 4
        assert [one.values["loss_weights.contrastive"] for one in search] == [1.5, 2, 2.5, 3]
        assert {one.state for one in outcomes(queues.final)} == {"complete"}
        ran = [sorted(path.name for path in node.trials.iterdir()) for node in (here, there)]
        assert not set(ran[0]) & set(ran[1])
        assert len(ran[0]) + len(ran[1]) == 7
        assert ran[0]
        assert ran[1]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
def test_a_trial_whose_node_is_silent_is_begun_again_with_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues_module, "HEARTBEAT_S", 1)
    monkeypatch.setattr(queues_module, "GRACE_S", 1)
    sweep = quick_sweep(tmp_path, HEAD + WEIGHT, count=1)
    queues = open_queues(sweep)
    fill(queues, sweep)
    lost = queues.search.ask()
    value = lost.suggest_float("loss_weights.contrastive", 1.5, 3.0)
    queues.search._storage.record_heartbeat(lost._trial_id)  # type: ignore[attr-defined]
    time.sleep(2.5)
    with known_experiments():
        optuna.storages.fail_stale_trials(queues.search)
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries) == ("waiting", 1)
    again = queues.search.ask()
    assert again.suggest_float("loss_weights.contrastive", 1.5, 3.0) == value
    assert queues.search.trials[lost.number].state == TrialState.FAIL


@pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
def test_a_trial_whose_worker_died_before_it_said_a_word_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues_module, "HEARTBEAT_S", 1)
    monkeypatch.setattr(queues_module, "GRACE_S", 1)
    sweep = quick_sweep(tmp_path, HEAD + WEIGHT, count=2)
    queues = open_queues(sweep)
    fill(queues, sweep)
    for worker in ("here", "on a node that is gone"):
        queues.claim(queues.search, worker)
        queues.search.ask()
    assert queues.take_back("here") == 1  # at once, where the worker is started again
    assert [one.state for one in outcomes(queues.search)] == ["waiting", "running"]
    time.sleep(2.5)
    with known_experiments():
        optuna.storages.fail_stale_trials(queues.search)
    assert [one.state for one in outcomes(queues.search)] == ["waiting", "waiting"]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
def test_a_configuration_that_dies_again_and_again_is_given_up(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, HEAD + WEIGHT, count=1, retries=2)
    queues = open_queues(sweep)
    fill(queues, sweep)
    for _ in range(3):
        queues.search.ask().set_user_attr("worker", "me")
        assert queues.take_back("me") == 1
    (one,) = outcomes(queues.search)
    assert (one.state, one.tries) == ("failed", 3)


def test_a_database_that_is_not_there_is_refused_without_its_password(tmp_path: Path) -> None:
    storage = "postgresql+psycopg://me:secret@127.0.0.1:1/none"
    sweep = quick_sweep(tmp_path, storage=storage)
    with pytest.raises(UserError, match="--storage") as refused:
        open_queues(sweep)
    assert "secret" not in str(refused.value)


def test_more_configurations_can_be_asked_for_later(tmp_path: Path) -> None:
    first = quick_sweep(tmp_path, count=2)
    fill(open_queues(first), first)
    later = quick_sweep(tmp_path, count=3)
    fill(open_queues(later), later)
    assert [one.ticket for one in outcomes(open_queues(later).search)] == [0, 1, 2]
