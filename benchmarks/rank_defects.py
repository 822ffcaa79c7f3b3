"""What goes wrong between processes, put back into those of the self-test."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cinelex.core import distributed
from cinelex.data.batch import Batch
from cinelex.data.video import transforms
from cinelex.losses import captioning, contrastive
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies import project as clip_text_project


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
