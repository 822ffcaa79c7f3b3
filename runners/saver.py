"""Checkpoints written beside the training, which waits only while its state is copied."""

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.runners import saving
from cinelex.runners.shard_saving import ShardSaver
from cinelex.runners.snapshot import Snapshot

MAX_MISSED_IN_A_ROW = 3
"""Checkpoints that the disk may refuse one after another before the run stops."""


class Saver:
    """Writes one snapshot at a time, in a thread of the main rank."""

    def __init__(self, folder: Path, *, keep: int) -> None:
        """Start the thread.

        Args:
            folder: Where the checkpoints are.
            keep: How many of the newest are kept.
        """
        self.folder, self.keep, self.missed = folder, keep, 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._pending: tuple[Snapshot, Future[Path]] | None = None
        self._shards: ShardSaver | None = None
        self._own_part: Future[Any] | None = None
        self.last: Path | None = None
        self._written: Path | None = None

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self._writer.shutdown(wait=True)

    def start(self, snapshot: Snapshot) -> None:
        """Begin to write; `wait` must have been called since the snapshot before."""
        assert self._pending is None, "the memory of the last snapshot is still being read"
        if snapshot.sharded:
            self._start_own_part(snapshot)
        elif is_main():
            writing = self._writer.submit(
                saving.write, self.folder, snapshot, keep=self.keep, before=self._written
            )
            self._pending = snapshot, writing

    def _start_own_part(self, snapshot: Snapshot) -> None:
        self._shards = self._shards or ShardSaver()
        self._own_part = self._shards.begin(self.folder, snapshot)
        if is_main():
            finishing = self._writer.submit(
                saving.finish, self.folder, snapshot, self._own_part, keep=self.keep
            )
            self._pending = snapshot, finishing

    def wait(self) -> None:
        """Wait until what was begun is on the disk, or has been given up.

        Raises:
            UserError: The disk has refused too many in a row.
        """
        if self._pending is None:
            if self._own_part is not None:  # the main rank says what became of it
                with suppress(OSError):
                    saving.refused_by_disk(self._own_part)
                self._own_part = None
            return
        (snapshot, writing), self._pending = self._pending, None
        try:
            self.last = self._written = writing.result()
        except OSError as problem:
            self._miss(snapshot, problem)
        else:
            self.missed = 0
            say(f"saved {self.last}")

    def _miss(self, snapshot: Snapshot, problem: OSError) -> None:
        self.missed += 1
        free = shutil.disk_usage(self.folder).free
        complaint = (
            f"checkpoint of step {snapshot.position.step} was not saved ({problem.strerror}): "
            f"{self.folder} needs {snapshot.bytes:,} bytes and has {free:,} free"
        )
        if self.missed >= MAX_MISSED_IN_A_ROW:
            raise UserError(f"{complaint}; {self.missed} in a row: make room, then go on")
        say(f"warning: {complaint}; training continues, miss {self.missed}")
