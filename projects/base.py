"""The one thing that runners know about a project."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError

Own = TypeVar("Own", bound="OnDevice")


@runtime_checkable
class OnDevice(Protocol):
    """A batch: anything that can be copied to a device."""

    def to(self: Own, device: torch.device) -> Own:
        """Copy to ``device``, without waiting for the copy."""

    def split(self: Own, parts: int) -> list[Own]:
        """Cut a batch on the CPU into consecutive parts of samples, none of them empty.

        Raises:
            UserError: There are fewer samples than parts.
        """


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
    def outputs(self, model: nn.Module, batch: BatchT) -> Any:
        """Run ``model`` once on ``batch`` and return all that `losses` needs, in a dataclass.

        Calls ``model`` itself and never a part of it: gradients are synchronised between
        processes only for what goes through ``model(...)``. The fields are tensors, None, or
        dataclasses of such; a tensor is either one number of the model, such as a temperature, or
        has its rows in the order of the batch, so that the rows of two batches can be stacked.
        Where other axes differ between batches, zeros at their end must mean nothing to `losses`.
        """

    @abstractmethod
    def losses(self, outputs: Any, batch: BatchT) -> Mapping[str, Tensor]:
        """Return the loss terms of a batch, unweighted, from what `outputs` returned for it.

        Each term is the value over the global batch, the same on every rank. Where gradients are
        accumulated, ``outputs`` is stacked from the parts of the batch; the model is not at hand.
        """

    def terms(self, model: nn.Module, batch: BatchT) -> Mapping[str, Tensor]:
        """Run ``model`` once on ``batch`` and return the loss terms, unweighted."""
        return self.losses(self.outputs(model, batch), batch)

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return numbers about the batch that `losses` has just seen, for that step's record.

        The same on every rank; tensors are detached. Nothing where a project measures nothing.
        """
        return {}

    def identities(self, batch: BatchT) -> Sequence[str]:
        """Return the id of each sample of ``batch``; only their hashes are ever recorded."""
        return ()

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

        And what else of the batch `floors` needs, as ``floor/<term>/<of what>``. ``batch`` is still
        on the CPU, so that nobody waits for the device.
        """

    @abstractmethod
    def floors(self, numbers: Mapping[str, float]) -> Mapping[str, float]:
        """Return ``floor/<term>``: the least each term can be at a recorded step's ``numbers``."""

    def representations(self, model: nn.Module) -> Mapping[str, Tensor]:
        """Return the embeddings of a few fixed held-out samples, one table of rows for each tower.

        Row i of every tower belongs to the same sample. Nothing where a project embeds nothing.
        Cheap enough to repeat in a run; changes no random state and not the model's mode.
        """
        return {}

    def diagnostics(self, model: nn.Module) -> Mapping[str, Any]:
        """Return what can be known of the data and of the fresh ``model`` before the first step.

        Numbers, and names of parameters or loss terms; never a report, a path or a patient's id.
        The doctor's rules read them by name; a project states those that it knows.
        """
        return {}

    @abstractmethod
    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Return a few held-out numbers, each with its null, cheap enough to repeat in a run."""

    @abstractmethod
    def evaluate(self, model: nn.Module, folder: Path) -> Mapping[str, Any]:
        """Return every result on the held-out test samples, each beside its nulls.

        ``tables`` and ``pictures`` in it, made with ``projects.results``, are shown in the summary
        and on the page of any project.

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

    def generate(self, model: nn.Module, folder: Path, words: Sequence[str]) -> Path:
        """Make something that the words describe, say what, and return its picture.

        Args:
            model: The trained module itself.
            folder: The run's folder; what is made goes to ``predictions/`` in it.
            words: What stood behind ``--run_mode generate``.

        Raises:
            UserError: The project makes nothing from words, or does not know these.
        """
        raise UserError("this project has no --run_mode generate")

    def morph(self, model: nn.Module, folder: Path, ends: Sequence[str], *, steps: int) -> Path:
        """Make what lies between two things, both among it, and return its picture.

        Args:
            model: The trained module itself.
            folder: The run's folder; what is made goes to ``predictions/`` in it.
            ends: What stood behind ``--run_mode morph``: names of the first and of the last.
            steps: How many to make, the ends among them.

        Raises:
            UserError: The project has nothing in between, or does not know these.
        """
        raise UserError("this project has no --run_mode morph")

    @abstractmethod
    def data_hash(self) -> str:
        """Return the hash of the studies that the run reads."""
