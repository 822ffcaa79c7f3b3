"""How each defect is put back: contexts in which the code is as it was where it was found."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cinelex.config.schedule import learning_rate
from cinelex.config.schema import OptimizerConfig
from cinelex.data import sampler as samplers
from cinelex.data.batch import Sample
from cinelex.data.studies import dataset as datasets
from cinelex.data.studies.studies import PER_VIDEO, Studies
from cinelex.data.video import frame_store
from cinelex.data.video.transforms import to_float
from cinelex.losses import contrastive
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects.eq import evaluation as eq_evaluation
from cinelex.projects.eq import outputs as eq_outputs
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.runners import accumulation, optimizer, train
from cinelex.runners.gradients import Gradients
from cinelex.runners.groups import Group, parameter_groups

Context = Callable[[], AbstractContextManager[Any]]


def patched(target: Any, name: str, value: Any) -> Context:
    """Return a context in which an attribute is another."""
    return lambda: mock.patch.object(target, name, value)


def without_head() -> AbstractContextManager[Any]:
    """Leave the study head out of the optimizer."""
    whole = parameter_groups

    def groups(model: nn.Module, config: OptimizerConfig) -> list[Group]:
        return [
            replace(group, names=tuple(n for n in group.names if not n.startswith("study_head")))
            for group in whole(model, config)
        ]

    return mock.patch.multiple(optimizer, parameter_groups=groups, check_groups=lambda *_: None)


def terms(change: Callable[[dict[str, Tensor], Any, Any, Any], None]) -> Context:
    """Return a context in which the project's terms are changed after they were computed."""
    shown, whole = MultitaskProject.outputs, MultitaskProject.losses
    newest: list[nn.Module] = []

    def outputs(self: MultitaskProject, model: nn.Module, batch: Any) -> Any:
        newest[:] = [model]
        return shown(self, model, batch)

    def losses(self: MultitaskProject, out: Any, batch: Any) -> dict[str, Tensor]:
        found = dict(whole(self, out, batch))
        change(found, self, newest[0], batch)
        return found

    return lambda: mock.patch.multiple(MultitaskProject, outputs=outputs, losses=losses)


def from_strings(terms: dict[str, Tensor], *_: Any) -> None:
    """Cut the caption term from its graph, as a score of decoded words is."""
    terms["captioning"] = terms["captioning"].detach()


def live_target(terms: dict[str, Tensor], project: Any, model: Any, batch: Any) -> None:
    """Rebuild the encoder's own outputs, which move along."""
    module = getattr(model, "module", model)
    tokens = module.video_encoder(to_float(batch.clips))
    hidden = torch.rand(tokens.shape[:2], generator=torch.Generator().manual_seed(0)) < 0.5
    guess = tokens.masked_fill(hidden[..., None], 0.0).mean(dim=1, keepdim=True)
    # both sides move: the target is the output itself
    terms["masked_modeling"] = (
        0 * terms["masked_modeling"]
        + (F.normalize(tokens, dim=-1) - F.normalize(guess, dim=-1)).square().sum(-1).mean()
    )


def in_gray_levels(terms: dict[str, Tensor], *_: Any) -> None:
    """Measure masked pixels in gray levels of 255."""
    terms["masked_modeling"] = 255.0**2 * terms["masked_modeling"]


def evaluated(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Context:
    """Return a context in which what the evaluation says of each EQ parameter is changed."""
    whole = eq_outputs.output_table

    def output_table(*spaces: Any) -> Table:
        found = whole(*spaces)
        return replace(found, rows=[change(dict(row)) for row in found.rows])

    return patched(eq_evaluation, "output_table", output_table)


def denormalised_twice(row: dict[str, Any]) -> dict[str, Any]:
    """Scale physical values as if they were z-scores: the first such system wrote 1.6 MHz."""
    mean, std = row["target_mean"], row["target_std"]
    return {**row, **{end: row[end] * std + mean for end in ("least", "greatest")}}


def in_physical_units(row: dict[str, Any]) -> dict[str, Any]:
    """Take the squared error in the parameter's own unit."""
    return {**row, "loss": row["loss"] * row["target_std"] ** 2}


def scaled(results: Any, factor: float) -> Any:
    """Return nested results with every value times a factor."""
    if not isinstance(results, dict):
        return results
    return {
        name: factor * value
        if name == "value" and isinstance(value, float)
        else scaled(value, factor)
        for name, value in results.items()
    }


def rate(step_of: Callable[[int], int], *, folded: bool) -> Context:
    """Return a context in which the schedule is asked for another step than the optimizer's."""

    def set_rate(
        optimizer: torch.optim.Optimizer, config: OptimizerConfig, *, step: int, steps: int
    ) -> float:
        asked = step_of(step)
        if folded:  # a cosine has no end of its own
            period = 2 * (steps - 1)
            asked = min(asked % period, period - asked % period)
        rate = learning_rate(config, step=asked, steps=steps)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate_factor"]
        return rate

    return patched(train, "set_learning_rate", set_rate)


def shuffled_videos() -> AbstractContextManager[Any]:
    """Give every report the videos of another study."""
    whole = datasets.StudyDataset.__init__

    def init(self: Any, studies: Any, *rest: Any, **named: Any) -> None:
        order = pa.array((np.arange(len(studies)) * 37 + 11) % len(studies))
        table = studies.table
        for name in PER_VIDEO:
            mixed = table[name].take(order)
            table = table.set_column(table.column_names.index(name), name, mixed)
        whole(self, Studies(table, studies.root), *rest, **named)

    return mock.patch.object(datasets.StudyDataset, "__init__", init)


def zero_videos() -> AbstractContextManager[Any]:
    """Replace one video in ten by zeros."""
    whole = frame_store.FrameStore.read

    def read(self: Any, row: int, *given: Any) -> np.ndarray:
        shown = whole(self, row, *given)
        lost = self.digests(np.array([row]))[0, 0] < 26  # one in ten
        return np.zeros_like(shown) if lost else shown

    return mock.patch.object(frame_store.FrameStore, "read", read)


def not_finite() -> AbstractContextManager[Any]:
    """Make every seventh loss not a number."""
    whole, calls = contrastive.InfoNCE.__call__, itertools.count()

    def loss(self: Any, *rows: Any, **named: Any) -> Tensor:
        value = whole(self, *rows, **named)
        return value * float("nan") if next(calls) % 7 == 6 else value

    return mock.patch.object(contrastive.InfoNCE, "__call__", loss)


def slow_loader() -> AbstractContextManager[Any]:
    """Wait 0.2 s for every batch."""
    whole = MultitaskProject.batches

    def batches(self: Any, start_step: int) -> Iterator[Any]:
        for batch in whole(self, start_step):
            time.sleep(0.2)
            yield batch

    return mock.patch.object(MultitaskProject, "batches", batches)


def same_order() -> AbstractContextManager[Any]:
    """Draw the order of the studies once."""
    whole = samplers.StudySampler._make_order
    return mock.patch.object(
        samplers.StudySampler, "_make_order", lambda self, epoch: whole(self, 0)
    )


def order_restarts() -> AbstractContextManager[Any]:
    """Begin with the first batch wherever a run begins."""
    whole = MultitaskProject.batches
    return mock.patch.object(MultitaskProject, "batches", lambda self, start_step: whole(self, 0))


def random_frames() -> AbstractContextManager[Any]:
    """Evaluate on frames that are drawn anew at every reading."""
    whole, epochs = datasets.StudyDataset.sample, itertools.count()

    def sample(self: datasets.StudyDataset, index: int, *, epoch: int | None) -> Sample:
        return whole(self, index, epoch=next(epochs) if epoch is None else epoch)

    return mock.patch.object(datasets.StudyDataset, "sample", sample)


def micro_batches_alone() -> AbstractContextManager[Any]:
    """Take the losses of each micro-batch by itself, as of a small batch."""

    def by_micro_batch(
        self: Gradients[Any], batch: Any, weights: Mapping[str, float], **_: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        for part in batch.split(self.micro_batches):
            terms = self.project.terms(self.model, part)
            loss = WeightedSum(weights)(terms) / self.micro_batches
            loss.backward()
        return loss.detach(), {name: term.detach() for name, term in terms.items()}

    return mock.patch.object(Gradients, "_by_micro_batch", by_micro_batch)


def shared_gradient_each_time() -> AbstractContextManager[Any]:
    """Send the gradient of what all micro-batches share back once each."""
    whole = accumulation._MicroBatches._ends

    def ends(
        self: Any, part: int, gradients: Sequence[Tensor | None], **named: Any
    ) -> tuple[list[Tensor], list[Tensor]]:
        outputs, sent = whole(self, part, gradients, **named)
        shared = iter([own for own in gradients if own is not None and own.ndim == 0])
        again = [own if out.ndim else next(shared) for out, own in zip(outputs, sent, strict=True)]
        return outputs, again

    return mock.patch.object(accumulation._MicroBatches, "_ends", ends)
