"""One folder, one run."""

import os
import socket
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.core.locks import sole_user


def test_a_second_user_is_told_who_the_first_is(tmp_path: Path) -> None:
    with sole_user(tmp_path / "run"):
        with pytest.raises(UserError) as complaint, sole_user(tmp_path / "run"):
            pass
        assert f"process {os.getpid()} on {socket.gethostname()}" in str(complaint.value)
    with sole_user(tmp_path / "run"):
        pass


def test_a_process_that_died_holds_nothing(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        lock = sole_user(tmp_path)
        lock.__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    with sole_user(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()
