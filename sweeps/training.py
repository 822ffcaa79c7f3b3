"""One training process of a sweep: started, watched, stopped, and begun again if it was killed."""

import fcntl
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT, PREEMPTED
from cinelex.core.files import hash_json
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.slots import Slot
from cinelex.sweeps.task import Task, check_recorded, overrides

PROGRAM, LAUNCHER = "cinelex.scripts.main", "cinelex.scripts.launch"
"""What a trial runs, alone and in several processes; nothing else is ever run."""
POLL_S = 1.0
"""Time between two looks at the record."""
ORPHAN_S = 180.0
"""Time that the process of a dead worker gets to save and leave."""
MAX_KILLED = 3
"""Times that a process may be killed under a living worker, for instance by a lack of memory."""

Row = dict[str, Any]
Watch = Callable[[Row], bool]
"""Is shown each new validation, once; returns True to end the run."""


class TrialError(Exception):
    """A trial that will not end well however often it is begun again."""


class InUseError(Exception):
    """The folder of a run is in other hands; later it may be free."""


def train(
    sweep: Sweep, task: Task, slot: Slot, *, watch: Watch, asked_to_stop: Callable[[], bool]
) -> Literal["finished", "ended", "stopped"]:
    """Run a task to its end in its folder, going on from the checkpoint that is there.

    Args:
        sweep: The sweep.
        task: What to run.
        slot: Where.
        watch: May end it early.
        asked_to_stop: Whether this worker was asked to leave; the run then saves.

    Returns:
        How it ended; "stopped" has saved, and goes on when it is run again.

    Raises:
        TrialError: The run refused its input, was killed too often, or ran another config.
        InUseError: Another process still runs it.
    """
    folder = sweep.trials / task.name
    log = sweep.folder / "logs" / f"{task.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    rows = Validations(folder / "metrics.jsonl")
    with _alone(sweep.folder / "locks" / task.name) as lock:
        for _ in range(MAX_KILLED + 1):
            process = _start(sweep, task, slot, log, lock)
            reason = _watch(process, rows, watch, asked_to_stop)
            if reason is not None:
                return reason
            if process.returncode == 0:
                _check(sweep, task)
                return "finished"
            if process.returncode == PREEMPTED:
                return "stopped"  # by somebody else, with everything saved
            if process.returncode == BAD_INPUT:
                raise TrialError(_last_line(log))
    raise TrialError(f"ended with {process.returncode} {MAX_KILLED + 1} times; see {log}")


def command(sweep: Sweep, task: Task, slot: Slot, *more: str) -> list[str]:
    """Return the command line of a task: a list of arguments that no shell ever reads."""
    arguments = ["--base_config", str(sweep.folder / BASE_FILE), *more, *overrides(sweep, task)]
    if slot.processes > 1:
        return slot.command(LAUNCHER, str(slot.processes), *arguments)
    return slot.command(PROGRAM, *arguments)


def _start(sweep: Sweep, task: Task, slot: Slot, log: Path, lock: int) -> "subprocess.Popen[bytes]":
    with log.open("ab") as stream:
        return subprocess.Popen(
            command(sweep, task, slot),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=slot.environment(),
            pass_fds=(lock,),
        )


def _watch(
    process: "subprocess.Popen[bytes]",
    rows: "Validations",
    watch: Watch,
    asked_to_stop: Callable[[], bool],
) -> Literal["ended", "stopped"] | None:
    """Wait for a process; return why it was asked to leave, or None where it left by itself."""
    reason: Literal["ended", "stopped"] | None = None
    try:
        while process.poll() is None:
            time.sleep(POLL_S)
            if reason is not None:
                continue  # it is saving
            if asked_to_stop():
                reason = "stopped"
            elif any([watch(row) for row in rows.new()]):
                reason = "ended"
            if reason is not None:
                process.send_signal(signal.SIGTERM)
    finally:
        if process.poll() is None:  # whoever watches was told to drop the trial
            process.send_signal(signal.SIGTERM)
            process.wait()
    for row in rows.new():
        watch(row)
    return None if process.returncode == 0 else reason


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """Hold a lock that the process inherits, so that it lasts as long as the process does.

    Raises:
        InUseError: The process of a dead worker does not leave.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        deadline = time.monotonic() + ORPHAN_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise InUseError(f"{path.name}: another process still runs it") from None
                time.sleep(POLL_S / 10)
        yield handle.fileno()


def _check(sweep: Sweep, task: Task) -> None:
    try:
        check_recorded(sweep, task)
    except UserError as error:
        raise TrialError(str(error)) from None


def _last_line(log: Path) -> str:
    """Return the one line that the program wrote about what is wrong."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"no output; see {log}"


class Validations:
    """The validations of a growing record, each step once, however often the run restarts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read, self._last = 0, b""
        self._seen: set[int] = set()

    def new(self) -> list[Row]:
        """Return the rows that were not there at the last look."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as stream:
            stream.seek(self._read - len(self._last))
            if stream.read(len(self._last)) != self._last:
                # a resumed run has dropped what it is going to write again, or has written it
                self._read, self._last = stream.seek(0), b""
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        self._last = (whole + newline).splitlines(keepends=True)[-1] if newline else self._last
        rows = [json.loads(line) for line in whole.splitlines() if line]
        fresh = [r for r in rows if r["kind"] == "validation" and r["step"] not in self._seen]
        self._seen |= {row["step"] for row in fresh}
        return fresh


def record_hash(folder: Path) -> str:
    """Return the hash of what a run recorded, but for times: equal for two equal runs."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return hash_json([{key: row[key] for key in row if not key.endswith("_ms")} for row in rows])
