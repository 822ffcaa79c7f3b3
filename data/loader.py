"""From a step's number to its batch, with the next batches made ahead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol, runtime_checkable

from cinelex.core.distributed import rank as this_rank
from cinelex.core.distributed import world_size as this_world_size
from cinelex.core.progress import progress
from cinelex.data.ahead import Workers, made_ahead
from cinelex.data.batch import Batch, Sample, collate
from cinelex.data.sampler import StudySampler, share
from cinelex.data.text.tokenizer import Tokenizer


@runtime_checkable
class Samples(Protocol):
    """What can be put into batches."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Return what its reports were encoded by."""

    def __len__(self) -> int: ...

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one study as training sees it in an epoch, or as evaluation does (None)."""

    def of_pixels(self) -> "Samples":
        """Return the same samples with their pixels, whatever is kept of frozen towers."""


@dataclass(frozen=True)
class Chosen:
    """Some samples of a data set, in an order of one's own."""

    samples: Samples
    indices: Sequence[int]

    @property
    def tokenizer(self) -> Tokenizer:
        """Return that of the data set."""
        return self.samples.tokenizer

    def __len__(self) -> int:
        return len(self.indices)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return what the data set returns for the index that stands here."""
        return self.samples.sample(self.indices[index], epoch=epoch)

    def of_pixels(self) -> "Chosen":
        """Return the same choice of the samples with their pixels."""
        return Chosen(self.samples.of_pixels(), self.indices)


def train_batches(
    dataset: Samples,
    sampler: StudySampler,
    *,
    start_step: int,
    workers: Workers,
    groups: int = 1,
    rank: int | None = None,
    world_size: int | None = None,
) -> Iterator[Batch]:
    """Yield this rank's share of the global batches of steps ``start_step``, … without end.

    A batch is a function of (seed, step, rank, world size); the number of workers and the place of
    the start change nothing. Workers are threads: the frames are mapped memory, and copying them
    does not hold the interpreter's lock, so there is no worker process to lose and no shared
    memory to size. With 0 workers the caller's thread makes every batch. Reports are encoded in
    ``groups`` of like length.
    """
    rank = this_rank() if rank is None else rank
    world_size = this_world_size() if world_size is None else world_size

    def batch(step: int) -> Batch:
        epoch, indices = sampler.batch_at(step)
        own = share(indices, rank=rank, world_size=world_size)
        return _batch(dataset, own, epoch, groups=groups)

    return made_ahead(batch, count(start_step), workers)


def evaluation_batches(
    dataset: Samples,
    *,
    batch: int,
    rank: int | None = None,
    world_size: int | None = None,
    workers: Workers = 0,
) -> Iterator[Batch]:
    """Yield this rank's contiguous share of the studies, in order, ``batch`` studies at a time.

    Every study comes exactly once over all ranks; rows gathered in rank order are in the data
    set's order. A rank may have one study less than another, or none.
    """
    rank = this_rank() if rank is None else rank
    world_size = this_world_size() if world_size is None else world_size
    own = range(len(dataset) * rank // world_size, len(dataset) * (rank + 1) // world_size)
    groups = [own[start : start + batch] for start in range(0, len(own), batch)]
    made = made_ahead(
        lambda index: _batch(dataset, groups[index], None), iter(range(len(groups))), workers
    )
    return progress(made, total=len(groups), what=f"batches of {batch} studies")


def _batch(
    dataset: Samples, indices: Sequence[int], epoch: int | None, *, groups: int = 1
) -> Batch:
    samples = [dataset.sample(index, epoch=epoch) for index in indices]
    return collate(samples, pad_id=dataset.tokenizer.pad_id, groups=groups)


def whole_batches(dataset: Samples, *, batch: int) -> Iterator[Batch]:
    """Yield this rank's share of global batches of exactly ``batch`` studies, for held-out losses.

    The remainder is left out, because a contrastive loss depends on the size of its batch; a data
    set smaller than a batch is one batch.
    """
    batch = min(batch, len(dataset))
    starts = range(0, len(dataset) - batch + 1, batch)
    for start in progress(starts, total=len(starts), what=f"whole batches of {batch} studies"):
        indices = list(range(start, start + batch))
        own = share(indices, rank=this_rank(), world_size=this_world_size())
        yield _batch(dataset, own, None)
