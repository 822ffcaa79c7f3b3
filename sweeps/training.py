"""One training process of a sweep: how it is started, why it ended, and what it recorded."""

import json
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import HUNG, INTERRUPTED, LOST_PEER, PREEMPTED
from cinelex.core.files import hash_json
from cinelex.core.locks import sole_user
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.slots import Slot
from cinelex.sweeps.task import Task, overrides

PROGRAM, LAUNCHER = "cinelex.scripts.main", "cinelex.scripts.launch"
"""What a trial runs, alone and in several processes; nothing else is ever run."""
POLL_S = 1.0
"""Time between two looks at a process."""
ORPHAN_S = 180.0
"""Time that the process of a dead starter gets to save and leave."""
SAVED = (PREEMPTED, INTERRUPTED)
"""Exit codes of a process that was told to leave, and goes on from there."""
KILLED = (HUNG, LOST_PEER)
"""Exit codes, next to those of signals, of a process that did not end by itself."""

Row = dict[str, Any]


def command(sweep: Sweep, task: Task, slot: Slot, *more: str) -> list[str]:
    """Return the command line of a task: a list of arguments that no shell ever reads."""
    arguments = ["--base_config", str(sweep.folder / BASE_FILE), *more, *overrides(sweep, task)]
    if slot.processes > 1:
        return slot.command(LAUNCHER, "--processes", str(slot.processes), *arguments)
    return slot.command(PROGRAM, *arguments)


def start(sweep: Sweep, task: Task, slot: Slot) -> "subprocess.Popen[bytes]":
    """Start a task in its folder, where it goes on from the checkpoint that is there.

    Raises:
        UserError: Another process still runs it, though its starter is dead.
    """
    _wait_for_orphan(sweep.trials / task.name)
    log = log_of(sweep, task)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        # a session of its own: Ctrl-C reaches the starter, which then asks politely
        return subprocess.Popen(
            command(sweep, task, slot),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=slot.environment(),
            start_new_session=True,
        )


def finish(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process and return its exit code; whatever interrupts that, it saves and ends."""
    try:
        while (code := process.poll()) is None:
            time.sleep(POLL_S)  # an exception from another thread comes between two looks only
        return code
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def is_killed(code: int) -> bool:
    """Return whether a process ended by a signal, its own or its child's, or for lack of a peer."""
    return code not in SAVED and (code < 0 or code > 128 or code in KILLED)


def reason(sweep: Sweep, task: Task, code: int) -> str:
    """Return the one line that a program wrote about what is wrong."""
    log = log_of(sweep, task)
    return f"its process was killed ({code}); see {log}" if is_killed(code) else last_line(log)


def last_line(log: Path) -> str:
    """Return the last line of a log, which is what a program says where it refuses its input."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"no output; see {log}"


def log_of(sweep: Sweep, task: Task) -> Path:
    """Return where the output of a task's processes is."""
    return sweep.folder / "logs" / f"{task.name}.log"


def in_use(folder: Path) -> bool:
    """Return whether a living process trains in a run's folder."""
    if folder.exists():
        with suppress(UserError), sole_user(folder):
            return False
        return True
    return False


def _wait_for_orphan(folder: Path) -> None:
    deadline = time.monotonic() + ORPHAN_S
    while in_use(folder):
        if time.monotonic() > deadline:
            raise UserError(f"{folder}: another process still runs it; stop it, then --resume")
        time.sleep(POLL_S / 10)


def validations(folder: Path) -> list[Row]:
    """Return the validations that a run has recorded, each step once; only whole lines count."""
    path = folder / "metrics.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith(b"\n") and b'"validation"' in line]
    return list({row["step"]: row for row in rows if row["kind"] == "validation"}.values())


def record_hash(folder: Path) -> str:
    """Return the hash of what a run recorded, but for times: equal for two equal runs."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return hash_json([{key: row[key] for key in row if not key.endswith("_ms")} for row in rows])
