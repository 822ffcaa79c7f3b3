"""Run a module on several processes that know one another, and wait for all of them."""

import os
import socket
import subprocess
import sys

from core.errors import UserError


def run_on_processes(
    module: str, *arguments: str, world: int, timeout_s: float = 240.0, folder: str | None = None
) -> None:
    """Run ``python -m module arguments`` once a rank on gloo's terms, as torchrun would.

    Args:
        module: What each process runs.
        arguments: The same for each.
        world: Processes.
        timeout_s: Seconds after which all are ended.
        folder: Working directory; None is this process's own.

    Raises:
        UserError: A process failed; the message has the last line that the first of them wrote.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=os.environ
            | shared
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        complaints = [process.communicate(timeout=timeout_s)[1] for process in processes]
    except subprocess.TimeoutExpired:
        raise UserError(f"{module}: {world} processes took longer than {timeout_s:g} s") from None
    finally:
        for process in processes:
            process.kill()
    failed = [rank for rank, process in enumerate(processes) if process.returncode]
    if failed:
        said = complaints[failed[0]].strip().splitlines() or ["nothing was said"]
        raise UserError(f"{module}: processes {failed} of {world} failed: {said[-1]}")
