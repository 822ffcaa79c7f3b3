"""The one thing that runners know about a project."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from cinelex.config.schema import RunConfig
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.models.study_model import Kept, StudyModel
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import Term, TermNulls
from cinelex.projects.interface.towers import Towers

Own = TypeVar("Own", bound="OnDevice")


@runtime_checkable
class OnDevice(Protocol):
    """A batch: anything that can be copied to a device."""

    def to(self: Own, device: torch.device) -> Own:
        """Copy to ``device``, without waiting for the copy."""

    def split(self: Own, micro_batches: int, /) -> list[Own]:
        """Cut a batch into consecutive micro-batches of samples, none of them empty.

        Raises:
            UserError: There are fewer samples than micro-batches.
        """


BatchT = TypeVar("BatchT", bound=OnDevice)
ModelT = TypeVar("ModelT", bound=nn.Module)


class Training(ABC, Generic[BatchT, ModelT]):
    """What the training loop needs: a model, batches, and losses with their weights and nulls.

    Every method that takes a model is called by all ranks together.
    """

    @abstractmethod
    def model(self) -> ModelT:
        """Build the one trained module, on the CPU, freshly initialised."""

    def ready(self, model: ModelT) -> Sequence[str]:
        """Prepare what is read in place of running parts of ``model``; return which parts.

        ``model`` has the weights that it begins with, and is on its device.
        """
        return ()

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
        accumulated, ``outputs`` is stacked from the micro-batches; the model is not at hand.
        """

    def terms(self, model: nn.Module, batch: BatchT) -> Mapping[str, Tensor]:
        """Run ``model`` once on ``batch`` and return the loss terms, unweighted."""
        return self.losses(self.outputs(model, batch), batch)

    @abstractmethod
    def nulls(self, batch: BatchT) -> Mapping[str, TermNulls]:
        """Return what each term is on ``batch`` for a model that knows nothing, and at its least.

        ``batch`` is still on the CPU, so that nobody waits for the device.
        """

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return numbers about the batch that `losses` has just seen, for that step's record.

        The same on every rank; tensors are detached. Nothing where a project measures nothing.
        """
        return {}

    def identities(self, batch: BatchT) -> Sequence[str]:
        """Return the id of each sample of ``batch``; only their hashes are ever recorded."""
        return ()

    def counts(self, batch: BatchT) -> Mapping[str, int]:
        """Return what ``batch``, on the CPU, holds: how many samples first, then of their parts.

        Speeds are stated in them. Nothing where a project counts nothing.
        """
        return {}

    @abstractmethod
    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""

    @abstractmethod
    def prepare_step(self, model: ModelT, step: int) -> Mapping[str, Tensor | float]:
        """Set what a schedule decides before optimizer step ``step``, from 0.

        ``model`` is the trained module itself. Returns numbers worth a place in the record, among
        them the ``temperature`` if a term has a floor.
        """

    @abstractmethod
    def data_hash(self) -> str:
        """Return the hash of the samples that the run reads."""


class Evaluation(ABC, Generic[ModelT]):
    """What is asked of a model beside the loop; all ranks call it together.

    ``model`` is the trained module itself.
    """

    def representations(self, model: ModelT) -> Mapping[str, Tensor]:
        """Return the embeddings of a few fixed held-out samples, one table of rows for each tower.

        Row i of every tower belongs to the same sample. Nothing where a project embeds nothing.
        Cheap enough to repeat in a run; changes no random state and not the model's mode.
        """
        return {}

    def diagnostics(self, model: ModelT) -> Mapping[str, Any]:
        """Return what can be known of the data and of the fresh ``model`` before the first step.

        Numbers, and names of parameters or loss terms; never a report, a path or a patient's id.
        The doctor's rules read them by name; a project states those that it knows.
        """
        return {}

    @abstractmethod
    def validate(self, model: ModelT) -> Mapping[str, float]:
        """Return a few held-out numbers, each with its null, cheap enough to repeat in a run."""

    @abstractmethod
    def evaluate(self, model: ModelT, folder: Path) -> Results:
        """Return every result on the held-out test samples, each beside its nulls.

        Args:
            model: The trained module itself, in evaluation mode.
            folder: The run's folder; examples go to ``predictions/`` in it.
        """


class Project(Training[BatchT, ModelT], Evaluation[ModelT]):
    """What is trained, on what, and towards what. How, and on which machines, is the runner's."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a further run mode is asked for."""

    folder: Path
    """The run's folder."""
    provenance: Mapping[str, str]
    """Hashes of config, code, checkpoint and data."""
    words: Sequence[str]
    """The arguments without ``=``."""
    steps: int
    """What stood behind ``--steps``."""


@dataclass(frozen=True, kw_only=True)
class RunMode:
    """What a trained model can be used for, by ``--run_mode``."""

    help: str
    run: Callable[[Any, Any, Request], Path]
    """From the project, its trained module and a request to the file that was written; raises a
    UserError for arguments that it cannot use."""
    words: str = ""
    """What its arguments without ``=`` say, for the help; empty where it takes none."""


@dataclass(frozen=True)
class PlannedStep:
    """A step of one process."""

    model: VideoText
    """On the device ``meta``."""
    clips: int
    """Of all its studies, each with as many as ``data`` allows."""
    kept: Kept
    """What frozen trunks are read from the cache instead of being run."""
    loss: Callable[[], Tensor]
    """Runs the forward pass; reaches all that is trained."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A project as the table of projects knows it."""

    open: Callable[[RunConfig, Path, Path | None], Project[Any, Any]]
    """From a config, the run's folder, and where its lists are written if elsewhere, to the project
    with its data open."""
    rehearse: Callable[[RunConfig], None]
    """Builds what the config describes and tries it on made-up input, before any data is read."""
    reads: tuple[str, ...]
    """Keys and sections of a config that this project reads and not every other one does."""
    terms: Mapping[str, Term]
    """Every loss term that it records, by its name."""
    modes: Mapping[str, RunMode] = field(default_factory=dict)
    """What its trained model can be used for, beside evaluation."""
    study_model: Callable[[RunConfig, Tokenizer, Towers | None], StudyModel] | None = None
    """Builds its model of studies and reports without any data; None where it has none."""
    plan: Callable[..., PlannedStep] | None = None
    """From a config and ``studies``, those of a process, to a step of theirs in shapes alone; None
    where it trains no towers."""

    @property
    def weighted(self) -> list[str]:
        """Return the names that ``loss_weights`` may hold."""
        return [t.name for t in self.terms.values() if t.weighted]
