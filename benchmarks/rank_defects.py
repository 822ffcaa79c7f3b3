"""What goes wrong between processes, put back; a process of the self-test is started with one."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.defect_code import Context
from cinelex.core import distributed
from cinelex.data.batch import Batch
from cinelex.data.video import transforms
from cinelex.doctor.live import self_tests
from cinelex.losses import captioning, contrastive
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies import project as clip_text_project

VARIABLE = "CINELEX_DEFECT"
"""Names to the processes of the self-test the defect that they start with."""


def on_ranks(name: str, here: Context = nullcontext) -> Context:
    """Return a context in which the two processes of the self-test have a defect.

    Args:
        name: Of the defect.
        here: The defect in this process, which measures alone.
    """

    @contextmanager
    def put_back() -> Iterator[None]:
        worker = mock.patch.object(self_tests, "WORKER", "benchmarks.doctor_rank_worker")
        with here(), worker, mock.patch.dict(os.environ, {VARIABLE: name}):
            yield

    return put_back


def bypass() -> AbstractContextManager[Any]:
    """Call the module around its wrapper."""
    whole = MultitaskProject.terms

    def terms(self: MultitaskProject, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        inner = getattr(model, "module", model)
        assert isinstance(inner, nn.Module)
        return dict(whole(self, inner, batch))

    return mock.patch.object(MultitaskProject, "terms", terms)


@contextmanager
def local_slice() -> Iterator[None]:
    """Gather as open code often does: the others' rows come without a gradient."""
    whole = distributed.gather_rows

    def gather(rows: Tensor, **named: Any) -> Tensor:
        everyone = whole(rows.detach(), **named)
        counts = distributed.row_counts(rows)
        first = sum(counts[: distributed.rank()])
        return torch.cat([everyone[:first], rows, everyone[first + len(rows) :]])

    with mock.patch.object(contrastive, "gather_rows", gather):
        yield


def mean_of_means() -> AbstractContextManager[Any]:
    """Average the caption loss over ranks instead of words."""

    def loss(self: Any, logits: Tensor, token_ids: Tensor) -> Tensor:
        cost = F.cross_entropy(logits[:, :-1].transpose(1, 2), token_ids[:, 1:], ignore_index=0)
        return distributed.sum_over_ranks(cost) / distributed.world_size()

    return mock.patch.object(captioning.Captioning, "__call__", loss)


def divided_twice() -> AbstractContextManager[Any]:
    """Divide the caption loss by the ranks once more."""
    whole = captioning.Captioning.__call__
    return mock.patch.object(
        captioning.Captioning,
        "__call__",
        lambda self, *rows: whole(self, *rows) / distributed.world_size(),
    )


def own_statistics() -> AbstractContextManager[Any]:
    """Normalize pixels with mean and deviation of this rank's batch."""
    whole = transforms.to_float

    def to_float(clips: Tensor) -> Tensor:
        pixels = whole(clips)
        return (pixels - pixels.mean()) / pixels.std()

    return mock.patch.object(clip_text_project, "to_float", to_float)


RANK_DEFECTS: dict[str, Context] = {
    "bypass": bypass,
    "local-slice": local_slice,
    "mean-of-means": mean_of_means,
    "divided-twice": divided_twice,
    "own-statistics": own_statistics,
}
"""What a process of the two-process self-test can be started with."""
