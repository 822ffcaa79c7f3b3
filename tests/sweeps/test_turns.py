"""Whose turn it is, with a database that is a file and with one that is a server."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import optuna
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from cinelex.sweeps import queues as queues_module
from cinelex.sweeps.outcomes import outcomes
from cinelex.sweeps.queues import Queues, fill, open_queues
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.turns import LOCK_FILE, server_key, turn
from tests.sweeps.postgres import postgres
from tests.sweeps.quick_sweep import ROOT, quick_sweep
from tests.sweeps.quick_training import answering, quick_worker


@contextmanager
def database(kind: str) -> Iterator[str]:
    with postgres() if kind == "server" else nullcontext("") as address:
        yield address


def is_taken(sweep: Sweep, place: Path) -> bool:
    """Return whether a process of another node, with a folder elsewhere, would have to wait."""
    if sweep.storage.startswith("postgresql"):
        other = quick_sweep(place, storage=sweep.storage)
        with create_engine(sweep.storage, poolclass=NullPool).connect() as connection:
            told = {"key": server_key(other)}
            return not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), told).scalar()
    with (sweep.folder / LOCK_FILE).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_look_and_what_follows_from_it_are_one_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with database(kind) as address:
        sweep = quick_sweep(tmp_path / "here", storage=address, count=1)
        seen: list[tuple[str, bool]] = []

        def noting(owner: object, name: str) -> None:
            plain = getattr(owner, name)

            def noted(*args: object, **told: object) -> object:
                seen.append((name, is_taken(sweep, tmp_path / "there")))
                return plain(*args, **told)

            monkeypatch.setattr(owner, name, noted)

        noting(queues_module, "_open_storage")  # makes the tables
        noting(optuna.Study, "enqueue_trial")
        fill(open_queues(sweep), sweep)
        assert seen == [("_open_storage", True), *[("enqueue_trial", True)] * 2]
        seen.clear()
        answering(monkeypatch, lambda: iter([]))
        quick = quick_worker(sweep)
        seen.clear()
        for name in ("mend", "next_queue", "claim"):
            noting(Queues, name)
        noting(optuna.Study, "ask")
        noting(quick, "_run")
        assert quick.work() == 0
        whole = [(name, True) for name in ("mend", "next_queue", "claim", "ask")]
        assert seen == [*whole, ("_run", False)] * 2 + whole[:2]


HOLD = """
import sys
from pathlib import Path
from sweeps.settings import Sweep
from sweeps.turns import turn
with turn(Sweep(Path(sys.argv[1]))):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["file", "server"])
def test_a_turn_ends_with_the_process_that_has_it(tmp_path: Path, kind: str) -> None:
    with database(kind) as address:
        sweep = quick_sweep(tmp_path / "here", storage=address)
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(sweep.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"mine\n"
            assert is_taken(sweep, tmp_path / "there")
            holder.kill()
        with turn(sweep):  # waits until the server has noticed
            assert is_taken(sweep, tmp_path / "there")


@pytest.mark.filterwarnings("ignore:Heartbeat of storage:UserWarning")
def test_a_trial_of_no_configuration_keeps_no_sweep_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=1, final_seeds=1)
    queues = open_queues(sweep)
    queues.search.ask()  # as a worker left it that found the queue empty, and was killed
    fill(queues, sweep)
    answering(monkeypatch, lambda: iter([]))
    assert quick_worker(sweep).work() == 0
    assert {one.state for study in queues for one in outcomes(study)} == {"complete"}
