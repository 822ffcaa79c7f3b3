"""Batches brought to the device ahead of their use."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from cinelex.projects.interface.project import BatchT

Made = TypeVar("Made")
Given = TypeVar("Given")


@dataclass(frozen=True)
class Fed(Generic[BatchT]):
    """A batch twice."""

    batch: BatchT
    """On the CPU."""
    on_device: BatchT
    """The same on the device; its copy may still be under way on another stream."""
    copied: torch.cuda.Event | None = None
    """When the copy has arrived; None where nobody has to wait."""


def fed(batches: Iterator[BatchT], device: torch.device) -> Iterator[Fed[BatchT]]:
    """Yield batches that are on the device, or on their way, before they are asked for.

    On a GPU a thread takes each batch one step ahead, locks its pages, and copies it on a stream of
    its own, beside the step before. Elsewhere a batch is where it has to be already.
    """
    if device.type != "cuda":
        for batch in batches:
            yield Fed(batch, batch.to(device))
        return
    for one in ahead(batches, _Copies(device)):
        assert one.copied is not None
        stream = torch.cuda.current_stream(device)
        stream.wait_event(one.copied)
        for tensor in _tensors(one.on_device).values():
            # its memory belongs to the stream that copied it, and is read on this one
            tensor.record_stream(stream)
        yield one


def ahead(given: Iterator[Given], make: Callable[[Given], Made]) -> Iterator[Made]:
    """Yield what ``make`` makes of each item, made by a thread while the one before is used."""

    def following() -> list[Made]:
        return [make(item) for item in _one(given)]

    with ThreadPoolExecutor(1, thread_name_prefix="feed") as pool:
        try:
            waiting = pool.submit(following)
            while found := waiting.result():
                waiting = pool.submit(following)
                yield found[0]
        finally:
            waiting.cancel()
            if isinstance(given, Generator):
                # by the thread that runs it
                pool.submit(given.close)


def _one(given: Iterator[Given]) -> list[Given]:
    for item in given:
        return [item]
    return []


class _Copies:
    """Copies batches to a GPU, on a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.stream = device, torch.cuda.Stream(device)

    def __call__(self, batch: Any) -> Fed[Any]:
        locked = replace(batch, **{n: t.pin_memory() for n, t in _tensors(batch).items()})
        with torch.cuda.stream(self.stream):
            on_device = locked.to(self.device)
            return Fed(batch, on_device, self.stream.record_event())


def _tensors(batch: Any) -> dict[str, Tensor]:
    """Return the tensors of a batch by the name of their field."""
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}
