"""Two agents that meet by c10d; one is killed, the other goes on from the checkpoint.

    python -m benchmarks.two_agents

Prints what the surviving agent said. At the end every step stands in the record once.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cinelex.core import checkpoint
from tests.tiny_run import MULTITASK, ROOT, arguments, rows, succeed

STEPS, KILL_AFTER = 40, 6


def agent(command: list[str], port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start the launcher as one node of two; one is enough to go on."""
    options = ["--processes", "1", "--nodes", "1:2", "--rendezvous", f"127.0.0.1:{port}"]
    return subprocess.Popen(
        [sys.executable, "-m", "cinelex.scripts.launch", *options, "--restarts", "3", *command],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )


def children(process: int) -> list[int]:
    """Return the processes that ``process`` started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def main() -> int:
    """Train on two agents, kill the second, wait for the first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        succeed(arguments(folder, folder / "cache", "name=data", "steps=2"))
        settings = (f"steps={STEPS}", "checkpoint_every=2", "validate_every=0")
        command = arguments(folder, folder / "cache", "name=two", *settings, config=MULTITASK)
        first = agent(command, port, folder / "first.log")
        time.sleep(2)  # the first to come keeps the store where the agents meet
        second = agent(command, port, folder / "second.log")
        saved = folder / "two" / "checkpoints"
        while not any(step >= KILL_AFTER for step in checkpoint.steps_saved(saved)):
            assert first.poll() is None, (folder / "first.log").read_text()
            time.sleep(0.05)
        for process in (*children(second.pid), second.pid):
            os.kill(process, signal.SIGKILL)
        second.wait()
        code = first.wait()
        sys.stdout.write((folder / "first.log").read_text())
        steps = [row["step"] for row in rows(folder / "two") if row["kind"] == "step"]
        assert steps == [*range(1, STEPS + 1)], steps
        sys.stdout.write(f"the surviving agent ended with {code}; steps 1 to {STEPS} once each\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
