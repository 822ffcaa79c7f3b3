"""Run a module on several processes that know one another, and wait for all of them."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import LOST_PEER
from cinelex.core.leash import leashed

if TYPE_CHECKING:
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

PACKAGE_ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
POLL_S = 0.05
"""Seconds between two looks at the processes."""


def child_environment() -> dict[str, str]:
    """Return the environment of a child that finds this package and computes in one thread."""
    paths = [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | one | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def meeting_point() -> "TCPStore":
    """Return a store on a port that the system chose, where processes of this machine meet.

    It is theirs as long as the store lives: a port that was only looked up may be gone when they
    come.
    """
    # here: a child that decodes videos needs no torch
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    return TCPStore(HOST, 0, is_master=True, wait_for_workers=False)


def run_on_processes(
    module: str, *arguments: str, world: int, timeout_s: float = 240.0, folder: str | None = None
) -> None:
    """Run ``python -m module arguments`` once a rank on gloo's terms, as torchrun would.

    The first that fails ends all.

    Args:
        module: What each process runs.
        arguments: The same for each.
        world: Processes.
        timeout_s: Seconds after which all are ended.
        folder: Working directory; None is this process's own.

    Raises:
        UserError: A process failed; the message has the last line that the first of them wrote, and
            a note has all lines.
    """
    store = meeting_point()
    shared = child_environment() | {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # this process keeps the store, and not rank 0
        "TORCHELASTIC_RESTART_COUNT": "0",
        "WORLD_SIZE": str(world),
    }
    with TemporaryDirectory() as logs:
        # files: a pipe that nobody empties yet would stop its process
        complaints = [Path(logs, str(rank)) for rank in range(world)]
        processes = []
        try:
            for rank, path in enumerate(complaints):
                own = shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
                processes.append(_start([module, *arguments], folder, own, path))
            failed = _first_failure(processes, timeout_s)
        except TimeoutError:
            raise UserError(
                f"{module}: {world} processes took longer than {timeout_s:g} s"
            ) from None
        finally:
            for process in processes:
                process.kill()
                process.wait()
        if failed is not None:
            said = complaints[failed].read_text(errors="replace").strip() or "nothing was said"
            last = said.splitlines()[-1]
            error = UserError(f"{module}: process {failed} of {world} failed: {last}")
            error.add_note(said)
            raise error


def _start(
    command: Sequence[str], folder: str | None, environment: dict[str, str], complaints: Path
) -> "subprocess.Popen[bytes]":
    with complaints.open("wb") as stream:
        return subprocess.Popen(
            leashed(sys.executable, "-m", *command),
            cwd=folder,
            env=environment,
            process_group=0,  # Ctrl-C is for the parent, which ends this
            stdout=subprocess.DEVNULL,
            stderr=stream,
        )


def _first_failure(processes: Sequence["subprocess.Popen[bytes]"], timeout_s: float) -> int | None:
    """Return the rank that failed first; None when all have succeeded.

    One that says that it only lost another is not asked before all have ended.

    Raises:
        TimeoutError: They are not done yet.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        codes = [process.poll() for process in processes]
        failed = [rank for rank, code in enumerate(codes) if code]
        causes = [rank for rank in failed if codes[rank] != LOST_PEER]
        if causes or None not in codes:
            return next(iter(causes or failed), None)
        time.sleep(POLL_S)
    raise TimeoutError
