"""Every rank writes its own part of a sharded run, beside the training."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch.distributed as dist

from cinelex.core.shards import flat
from cinelex.runners import saving
from cinelex.runners.snapshot import Snapshot


class ShardSaver:
    """Copies what this rank holds, and writes the copy in a thread; all ranks call it together."""

    def __init__(self) -> None:
        """Give the writers a group of their own: the training uses the other meanwhile."""
        self._group: Any = dist.new_group(backend="gloo")

    def begin(self, folder: Path, snapshot: Snapshot) -> Future[Any]:
        """Return what is done when every rank has written; training may go on at once."""
        # here, because they take seconds
        from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
        from torch.distributed.checkpoint.state_dict_saver import async_save

        part = saving.part_of(folder, snapshot)
        part.mkdir(parents=True, exist_ok=True)
        writer = HuggingFaceStorageWriter(str(part), save_distributed=True)
        written: Any = async_save(
            flat(snapshot.tensors), storage_writer=writer, process_group=self._group
        )
        begun: Future[Any] = written
        return begun
