"""Ends a process that makes no progress, and says where it hangs."""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from cinelex.core.distributed import rank
from cinelex.core.exit_codes import HUNG
from cinelex.core.files import write_json

GRACE = 1.25
"""How much longer than the limit it takes where a library holds the interpreter's lock."""
HEARTBEAT_S = 5.0
"""Seconds between two writings of the heartbeat."""


class Watchdog:
    """While open, expects a `beat` every ``limit_s`` seconds.

    Where none comes, the stacks of all threads go to ``stacks-<rank>.txt``, one line to standard
    error, and the process ends with `HUNG`; the launcher then ends the other ranks. A thread of the
    interpreter does it first. Where that cannot run, because a library holds the interpreter's
    lock, a thread of faulthandler, which needs no lock, does it a quarter later. Who watches from
    outside reads ``heartbeat-<rank>.json``.
    """

    def __init__(self, folder: Path, *, limit_s: float, last_checkpoint: Callable[[], str]) -> None:
        """Watch nothing yet.

        Args:
            folder: Where stacks and heartbeat go.
            limit_s: Seconds without a beat after which the process ends.
            last_checkpoint: What to go on from, for the message.
        """
        self.limit_s, self.last_checkpoint = limit_s, last_checkpoint
        self.stacks = folder / f"stacks-{rank()}.txt"
        self.heartbeat = folder / f"heartbeat-{rank()}.json"
        self._file: TextIO | None = None
        self._closed = threading.Event()
        self._step = 0
        self._beat_at = self._written_at = self._armed_at = -float("inf")

    def __enter__(self) -> "Watchdog":
        self.stacks.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.stacks.open("w")
        self.beat(0)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        faulthandler.cancel_dump_traceback_later()
        if self._file is not None:
            self._file.close()
            self.stacks.unlink(missing_ok=True)
        self.heartbeat.unlink(missing_ok=True)

    def beat(self, step: int) -> None:
        """Say that ``step`` steps have been made, and that this process is alive."""
        now = time.monotonic()
        self._step, self._beat_at = step, now
        if now - self._armed_at > min(1.0, self.limit_s / 10):
            self._arm(now)
        if now - self._written_at > HEARTBEAT_S:
            self._written_at = now
            self._write_heartbeat()

    def _arm(self, now: float) -> None:
        assert self._file is not None
        self._armed_at = now
        self._file.seek(0)
        self._file.truncate()
        self._file.write(self._message() + "\n")
        self._file.flush()
        faulthandler.dump_traceback_later(GRACE * self.limit_s, file=self._file, exit=True)

    def _write_heartbeat(self) -> None:
        beat = {"pid": os.getpid(), "step": self._step, "unix_time": time.time()}
        try:
            write_json(self.heartbeat, beat)
        except OSError:
            # a full disk stops no run; who watches sees an old beat
            return

    def _message(self) -> str:
        return (
            f"error: rank {rank()} made no progress for {self.limit_s:g} s after step "
            f"{self._step}; last checkpoint: {self.last_checkpoint()}; stacks: {self.stacks}"
        )

    def _watch(self) -> None:
        while not self._closed.wait(self._beat_at + self.limit_s - time.monotonic()):
            if time.monotonic() - self._beat_at >= self.limit_s:
                assert self._file is not None
                faulthandler.dump_traceback(self._file)
                sys.stderr.write(self._message() + "\n")
                sys.stderr.flush()
                os._exit(HUNG)
