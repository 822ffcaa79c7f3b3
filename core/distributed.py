"""Collectives that also work in a single process, so that no caller asks which case it is in.

Gradients: with these collectives every rank computes the same global loss, and the gradient that
reaches a rank's parameters is world size times that rank's share of the global gradient.
DistributedDataParallel averages over the ranks, which gives exactly the global gradient.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from jaxtyping import Float, Shaped
from torch import Tensor

from cinelex.core.differentiable import GatherRows, SumOverRanks
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import INTERRUPTED, LOST_PEER

T = TypeVar("T")
TORCHRUN_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
MAIN_MAY_TAKE = timedelta(days=30)
"""How long the others wait for the main rank: decoding takes it hours, a slow disk minutes."""


def rank() -> int:
    """Return this process's index among the processes, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Return True in the one process that writes files and talks."""
    return rank() == 0


def start(device: str | torch.device, *, timeout_s: float = 600.0) -> torch.device:
    """Join the processes that torchrun started and return the device of this one.

    Outside torchrun, and with a single process, there is nobody to join. CPU tensors travel by
    gloo, CUDA tensors by NCCL.

    Args:
        device: The kind of device, such as "cpu" or "cuda".
        timeout_s: Seconds that a collective waits for the other ranks before it raises. `barrier`
            and `broadcast_json` wait for the main rank as long as it takes.

    Raises:
        UserError: The environment says that there are several processes, but not how to find them.
    """
    device = torch.device(device)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    missing = [name for name in TORCHRUN_VARIABLES if name not in os.environ]
    if world > 1 and missing:
        raise UserError(f"WORLD_SIZE is {world} but {', '.join(missing)} is unset; use torchrun")
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world > 1 and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout_s))
        _end_quietly_after_others()
    return device


def speaks_first() -> bool:
    """Return True in the first process that asks this, which is the one that knows what is wrong.

    One that fails because another has failed asks later: it learns of it when the other is gone.
    Before the processes have met, the main one speaks.
    """
    if not dist.is_initialized():
        return os.environ.get("RANK", "0") == "0"
    try:
        order = dist.distributed_c10d._get_default_store().add("spoke", 1)
    except dist.DistError:
        return True  # whoever kept the store is gone, and cannot be asked
    return order == 1


def _end_quietly_after_others() -> None:
    """Let the first process that raises show its traceback, and the others one line each."""
    show = sys.excepthook

    def complain(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not dist.is_initialized():
            show(kind, error, trace)
            return
        if speaks_first():
            show(kind, error, trace)
            leave(INTERRUPTED if kind is KeyboardInterrupt else 1)
        sys.stderr.write(f"rank {rank()} ends, because another one failed ({kind.__name__})\n")
        # the code says who did not begin it
        leave(LOST_PEER)

    sys.excepthook = complain


def leave(code: int) -> NoReturn:
    """End this process, which has failed and is one of several, at once.

    On the ordinary way out its connections close well before it has an exit code: the others fail
    of that, and the launcher ends this one before it can say why. Nor do the group's threads wait.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def stop() -> None:
    """Leave the group of processes; nothing happens where there is none."""
    if dist.is_initialized():
        dist.destroy_process_group()


def barrier() -> None:
    """Wait until every rank is here, for the main one as long as it takes."""
    if world_size() > 1:
        _wait_for_main()
        dist.all_reduce(torch.zeros(1))


def main_first(read: Callable[[], T]) -> T:
    """Return what ``read`` gives each rank: the others call it when the main one is done.

    For what the main rank has to make before all can read it.
    """
    if not is_main():
        barrier()
        return read()
    found = read()
    barrier()
    return found


def _wait_for_main() -> None:
    """Let the main rank come hours later than the others, who wait for its word.

    A collective would give up after the group's timeout. A main rank that fails ends the waiting at
    once: its connections close.
    """
    if is_main():
        for other in range(1, world_size()):
            dist.send(torch.zeros(1), other)
        return
    word = dist.irecv(torch.zeros(1), 0)
    assert word is not None, "this rank belongs to the group"
    word.wait(MAIN_MAY_TAKE)


def row_counts(rows: Shaped[Tensor, "local *axes"]) -> list[int]:
    """Return how many rows each rank has, in rank order. Waits for the device."""
    if world_size() == 1:
        return [len(rows)]
    # a CPU tensor: the count is known here, and gloo serves it without waiting for a GPU
    counts = [torch.zeros(1, dtype=torch.int64) for _ in range(world_size())]
    dist.all_gather(counts, torch.tensor([len(rows)]))
    return [int(count) for count in counts]


def gather_rows(
    rows: Shaped[Tensor, "local *axes"], *, counts: Sequence[int] | None = None
) -> Shaped[Tensor, "everyone *axes"]:
    """Stack every rank's rows in rank order; gradients flow back to the rank that owns the row.

    Ranks may bring different numbers of rows, also none; the other axes must agree.

    Args:
        rows: This rank's rows, of any dtype.
        counts: The result of `row_counts`, where it is known already; saves one exchange.
    """
    if world_size() == 1:
        return rows
    counts = row_counts(rows) if counts is None else list(counts)
    gathered: Tensor = GatherRows.apply(rows, counts)
    return gathered


def sum_over_ranks(value: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Add up a tensor over the ranks; every rank gets the sum, and gradients flow to every rank."""
    if world_size() == 1:
        return value
    total: Tensor = SumOverRanks.apply(value)
    return total


def highest_over_ranks(value: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """Return the elementwise maximum over the ranks, without gradient."""
    highest = value.detach().clone(memory_format=torch.contiguous_format)
    if world_size() > 1:
        dist.all_reduce(highest, op=dist.ReduceOp.MAX)
    return highest


def max_over_ranks(value: int) -> int:
    """Return the largest of the ranks' numbers."""
    if world_size() == 1:
        return value
    largest = torch.tensor([value])
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return int(largest)


def gather_json(value: Any) -> list[Any]:
    """Return every rank's value in rank order, on every rank. The values must be JSON."""
    if world_size() == 1:
        return [json.loads(json.dumps(value))]
    rows = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
    counts = row_counts(rows)
    everyone = gather_rows(rows, counts=counts).split(counts)
    return [json.loads(bytes(part.tolist())) for part in everyone]


def broadcast_json(value: Any) -> Any:
    """Return the main process's value on every rank, however long it takes. It must be JSON."""
    if world_size() > 1:
        _wait_for_main()
    return gather_json(value if is_main() else None)[0]
