"""A PostgreSQL server for one test."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


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
