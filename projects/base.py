"""The one thing that runners know about a project."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

Own = TypeVar("Own", bound="OnDevice")


@runtime_checkable
class OnDevice(Protocol):
    """A batch: anything that can be copied to a device."""

    def to(self: Own, device: torch.device) -> Own:
        """Copy to ``device``, without waiting for the copy."""


BatchT = TypeVar("BatchT", bound=OnDevice)


class Project(ABC, Generic[BatchT]):
    """What is trained, on what, and towards what. How, and on which machines, is the runner's.

    Every method that takes a model is called by all ranks together.
    """

    @abstractmethod
    def model(self) -> nn.Module:
        """Build the one trained module, on the CPU, freshly initialised."""

    @abstractmethod
    def batches(self, start_step: int) -> Iterator[BatchT]:
        """Yield this rank's training batches without end, beginning with that of ``start_step``."""

    @abstractmethod
    def terms(self, model: nn.Module, batch: BatchT) -> Mapping[str, Tensor]:
        """Run ``model`` once on ``batch`` and return the loss terms, unweighted.

        Calls ``model`` itself and never a part of it: gradients are synchronised between
        processes only for what goes through ``model(...)``. Each term is the value over the
        global batch, the same on every rank.
        """

    @abstractmethod
    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""

    @abstractmethod
    def prepare_step(self, model: nn.Module, step: int) -> Mapping[str, Tensor | float]:
        """Set what a schedule decides before optimizer step ``step``, from 0.

        ``model`` is the trained module itself. Returns numbers worth a place in the record.
        """

    @abstractmethod
    def chances(self, batch: BatchT) -> Mapping[str, float]:
        """Return ``chance/<term>``: what each term is on ``batch`` for a model that knows nothing.

        ``batch`` is still on the CPU, so that nobody waits for the device.
        """

    @abstractmethod
    def floors(self, numbers: Mapping[str, float]) -> Mapping[str, float]:
        """Return ``floor/<term>``: the least each term can be at a recorded step's ``numbers``."""

    @abstractmethod
    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Return a few held-out numbers, each with its null, cheap enough to repeat in a run."""

    @abstractmethod
    def evaluate(self, model: nn.Module, folder: Path) -> Mapping[str, Any]:
        """Return every result on the held-out test studies, each beside its nulls.

        Args:
            model: The trained module itself.
            folder: The run's folder; examples go to ``predictions/`` in it.
        """

    @abstractmethod
    def infer(self, model: nn.Module, folder: Path) -> Path:
        """Describe studies that need no label, and return the table that was written."""

    @abstractmethod
    def embed(self, model: nn.Module, folder: Path, *, provenance: Mapping[str, str]) -> Path:
        """Write embeddings with ids and hashes, and return the table that was written."""

    @abstractmethod
    def data_hash(self) -> str:
        """Return the hash of the studies that the run reads."""
