"""Processes that are started together end together, and the first that fails says why."""

from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.core.processes import run_on_processes

CHILD = """
import os, socket, sys, time
rank, how = int(os.environ["RANK"]), sys.argv[1]
if how == "meet":
    socket.create_connection(("127.0.0.1", int(os.environ["MASTER_PORT"]))).close()
elif how == "talk" and rank == 1:
    sys.stderr.write(2_000_000 * "x")
    open("talked", "w").close()
elif how == "talk":
    while not os.path.exists("talked"):
        time.sleep(0.01)
elif how == "fail" and rank == 2:
    sys.stderr.write("first line\\nbad gloo")
    sys.exit(1)
elif how == "fail" and rank == 1:
    sys.exit(69)
elif how == "fail":
    time.sleep(3600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where the module ``child`` lies."""
    (tmp_path / "child.py").write_text(CHILD)
    return str(tmp_path)


def test_the_port_is_held_before_any_process_starts(folder: str) -> None:
    run_on_processes("child", "meet", world=2, folder=folder)


def test_one_that_says_much_does_not_stop(folder: str) -> None:
    run_on_processes("child", "talk", world=2, folder=folder)


def test_the_first_failure_ends_all_and_who_only_lost_a_peer_is_not_asked(folder: str) -> None:
    with pytest.raises(UserError, match="child: process 2 of 3 failed: bad gloo") as complaint:
        run_on_processes("child", "fail", world=3, folder=folder)
    assert complaint.value.__notes__ == ["first line\nbad gloo"]


def test_who_waits_for_ever_is_ended(folder: str) -> None:
    with pytest.raises(UserError, match="1 processes took longer than 0.1 s"):
        run_on_processes("child", "fail", world=1, folder=folder, timeout_s=0.1)
