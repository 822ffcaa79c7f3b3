"""How each defect is put back: contexts in which the code is as it was where it was found."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from config.schedule import learning_rate
from config.schema import OptimizerConfig
from data import dataset as datasets
from data import sampler as samplers
from data import store as stores
from data.transforms import to_float
from losses import contrastive
from models import caption_decoder, masked_decoder
from models.study_model import EncodedReports, EncodedStudies
from models.video_text import VideoText
from projects.multitask_pretraining import MultitaskPretraining
from runners import optimizer, train

Context = Callable[[], AbstractContextManager[Any]]


def patched(target: Any, name: str, value: Any) -> Context:
    """Return a context in which an attribute is another."""
    return lambda: mock.patch.object(target, name, value)


def without_head() -> AbstractContextManager[Any]:
    """Leave the study head out of the optimizer."""
    whole = optimizer.parameter_groups

    def groups(model: nn.Module, config: OptimizerConfig) -> list[optimizer.Group]:
        return [
            replace(group, names=tuple(n for n in group.names if not n.startswith("study_head")))
            for group in whole(model, config)
        ]

    return mock.patch.multiple(optimizer, parameter_groups=groups, check_groups=lambda *_: None)


def terms(change: Callable[[dict[str, Tensor], Any, Any, Any], None]) -> Context:
    """Return a context in which the project's terms are changed after they were computed."""
    whole = MultitaskPretraining.terms

    def terms(self: MultitaskPretraining, model: nn.Module, batch: Any) -> dict[str, Tensor]:
        found = dict(whole(self, model, batch))
        change(found, self, model, batch)
        return found

    return patched(MultitaskPretraining, "terms", terms)


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


def constant_caption(self: Any, memory: Tensor, present: Tensor | None, **ids: Any) -> Tensor:
    """Write the same words for every study."""
    first = torch.tensor([[ids["bos_id"], 20, 21, 22, ids["eos_id"]]])
    return first.expand(len(memory), -1)


def blind_decoder() -> AbstractContextManager[Any]:
    """Show the decoder nothing of the study."""
    decoder = caption_decoder.TransformerCaptionDecoder
    whole = decoder.forward

    def forward(self: Any, words: Tensor, memory: Tensor, present: Tensor | None) -> Tensor:
        return whole(self, words, 0 * memory, present)

    return mock.patch.object(decoder, "forward", forward)


def shuffled_videos() -> AbstractContextManager[Any]:
    """Give every report the videos of another study."""
    whole = datasets.StudyDataset.__init__

    def init(self: Any, studies: Any, *rest: Any, **named: Any) -> None:
        videos = [study.videos for study in studies]
        mixed = [videos[(i * 37 + 11) % len(videos)] for i in range(len(videos))]
        other = [replace(s, videos=v) for s, v in zip(studies, mixed, strict=True)]
        whole(self, other, *rest, **named)

    return mock.patch.object(datasets.StudyDataset, "__init__", init)


def zero_videos() -> AbstractContextManager[Any]:
    """Replace one video in ten by zeros."""
    whole = stores.FrameStore.frames

    def frames(self: Any, video: Any) -> np.ndarray:
        shown = whole(self, video)
        lost = int(self.entry(video).content[:2], 16) < 26  # one in ten
        return np.zeros_like(shown) if lost else shown

    return mock.patch.object(stores.FrameStore, "frames", frames)


def mostly_bias(width: int, dim: int) -> nn.Module:
    """Return a head whose output is its bias."""
    head = nn.Linear(width, dim)
    nn.init.normal_(head.weight, std=1e-6)
    head.weight.requires_grad_(False)
    return head


def no_gradient_to_text() -> AbstractContextManager[Any]:
    """Let no gradient reach the text tower."""
    whole = VideoText.encode_report

    def encode(self: VideoText, words: Tensor, present: Tensor) -> EncodedReports:
        found = whole(self, words, present)
        return replace(found, report=found.report.detach() + 0 * found.report)

    return mock.patch.object(VideoText, "encode_report", encode)


def study_encoding(change: Callable[[VideoText, EncodedStudies], Tensor]) -> Context:
    """Return a context in which the embeddings of studies are changed."""
    whole = VideoText.encode_study

    def encode(self: VideoText, *clips: Any, **named: Any) -> EncodedStudies:
        found = whole(self, *clips, **named)
        return replace(found, study=change(self, found))

    return patched(VideoText, "encode_study", encode)


def zero_bias() -> AbstractContextManager[Any]:
    """Start the bias of the sigmoid loss at 0."""
    whole = VideoText.__init__
    return mock.patch.object(
        VideoText, "__init__", lambda self, **named: whole(self, **{**named, "bias": 0.0})
    )


def noisy(model: VideoText, found: EncodedStudies) -> Tensor:
    """Drop numbers of the embedding at random."""
    return F.normalize(F.dropout(found.study, 0.1, training=True), dim=-1)


def padded_mean(self: Any, rows: Tensor, owner: Tensor, *, studies: int) -> Tensor:
    """Count views that do not exist."""
    longest = int(torch.bincount(owner, minlength=studies).max())
    views = torch.bincount(owner, minlength=studies)[:, None]
    total = rows.new_zeros(studies, rows.shape[1]).index_add(0, owner, rows)
    absent = rows.new_full((1, rows.shape[1]), 0.3)  # what an encoder makes of a black clip
    return (total + (longest - views) * absent) / longest


def first_view(self: Any, rows: Tensor, owner: Tensor, *, studies: int) -> Tensor:
    """Read the first view alone."""
    counts = torch.bincount(owner, minlength=studies)
    return rows[counts.cumsum(0) - counts]


def no_positions() -> AbstractContextManager[Any]:
    """Tell the masked decoder no positions."""
    decoder = masked_decoder.TransformerMaskedDecoder
    whole = decoder.__init__

    def init(self: Any, **named: Any) -> None:
        whole(self, **named)
        size = self.positions().shape
        self.positions = lambda: torch.zeros(size)

    return mock.patch.object(decoder, "__init__", init)


def not_finite() -> AbstractContextManager[Any]:
    """Make every seventh loss not a number."""
    whole, calls = contrastive.InfoNCE.__call__, itertools.count()

    def loss(self: Any, *rows: Any, **named: Any) -> Tensor:
        value = whole(self, *rows, **named)
        return value * float("nan") if next(calls) % 7 == 6 else value

    return mock.patch.object(contrastive.InfoNCE, "__call__", loss)


def slow_loader() -> AbstractContextManager[Any]:
    """Wait 0.2 s for every batch."""
    whole = MultitaskPretraining.batches

    def batches(self: Any, start_step: int) -> Iterator[Any]:
        for batch in whole(self, start_step):
            time.sleep(0.2)
            yield batch

    return mock.patch.object(MultitaskPretraining, "batches", batches)


def same_order() -> AbstractContextManager[Any]:
    """Draw the order of the studies once."""
    whole = samplers.StudySampler._make_order
    return mock.patch.object(
        samplers.StudySampler, "_make_order", lambda self, epoch: whole(self, 0)
    )


def order_restarts() -> AbstractContextManager[Any]:
    """Begin with the first batch wherever a run begins."""
    whole = MultitaskPretraining.batches
    return mock.patch.object(
        MultitaskPretraining, "batches", lambda self, start_step: whole(self, 0)
    )
