"""How defects of models are put back: contexts in which a part is as it was where it was found."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.defect_code import Context, patched
from cinelex.models import caption_decoder, masked_decoder
from cinelex.models.study_model import EncodedReports, EncodedStudies
from cinelex.models.video_text import VideoText


def constant_caption(
    self: Any, memory: Tensor, attention_mask: Tensor | None, **ids: Any
) -> Tensor:
    """Write the same words for every study."""
    first = torch.tensor([[ids["bos_id"], 20, 21, 22, ids["eos_id"]]])
    return first.expand(len(memory), -1)


def blind_decoder() -> AbstractContextManager[Any]:
    """Show the decoder nothing of the study."""
    decoder = caption_decoder.TransformerCaptionDecoder
    whole, written = decoder.forward, decoder.generate

    def forward(
        self: Any, token_ids: Tensor, memory: Tensor, attention_mask: Tensor | None
    ) -> Tensor:
        return whole(self, token_ids, 0 * memory, attention_mask)

    def generate(self: Any, memory: Tensor, *rest: Any, **named: Any) -> Tensor:
        tokens: Tensor = written(self, 0 * memory, *rest, **named)
        return tokens

    return mock.patch.multiple(decoder, forward=forward, generate=generate)


def zero_bias() -> AbstractContextManager[Any]:
    """Start the bias of the sigmoid loss at 0."""
    whole = VideoText.__init__
    return mock.patch.object(
        VideoText, "__init__", lambda self, **named: whole(self, **{**named, "bias": 0.0})
    )


def mostly_bias(width: int, dim: int) -> nn.Module:
    """Return a head whose output is its bias."""
    head = nn.Linear(width, dim)
    nn.init.normal_(head.weight, std=1e-6)
    head.weight.requires_grad_(False)
    return head


def no_gradient_to_text() -> AbstractContextManager[Any]:
    """Let no gradient reach the text tower."""
    whole = VideoText.encode_report

    def encode(self: VideoText, token_ids: Tensor, attention_mask: Tensor) -> EncodedReports:
        found = whole(self, token_ids, attention_mask)
        return replace(found, report=found.report.detach() + 0 * found.report)

    return mock.patch.object(VideoText, "encode_report", encode)


def study_encoding(change: Callable[[VideoText, EncodedStudies], Tensor]) -> Context:
    """Return a context in which the embeddings of studies are changed."""
    whole = VideoText.encode_study

    def encode(self: VideoText, *clips: Any, **named: Any) -> EncodedStudies:
        found = whole(self, *clips, **named)
        return replace(found, study=change(self, found))

    return patched(VideoText, "encode_study", encode)


def noisy(model: VideoText, found: EncodedStudies) -> Tensor:
    """Drop numbers of the embedding at random."""
    return F.normalize(F.dropout(found.study, 0.1, training=True), dim=-1)


def padded_mean(self: Any, rows: Tensor, owner: Tensor, *, studies: int, **_: int | None) -> Tensor:
    """Count views that do not exist."""
    longest = int(torch.bincount(owner, minlength=studies).max())
    views = torch.bincount(owner, minlength=studies)[:, None]
    total = rows.new_zeros(studies, rows.shape[1]).index_add(0, owner, rows)
    absent = rows.new_full((1, rows.shape[1]), 0.3)  # what an encoder makes of a black clip
    return (total + (longest - views) * absent) / longest


def first_view(self: Any, rows: Tensor, owner: Tensor, *, studies: int, **_: int | None) -> Tensor:
    """Read the first view alone."""
    counts = torch.bincount(owner, minlength=studies)
    return rows[counts.cumsum(0) - counts]


def no_positions() -> AbstractContextManager[Any]:
    """Tell the masked decoder no positions."""
    decoder = masked_decoder.TransformerMaskedDecoder
    whole = decoder.__init__

    @functools.wraps(whole)  # options are checked against the signature
    def init(self: Any, **named: Any) -> None:
        whole(self, **named)
        for wave in self.positions.buffers():
            wave.zero_()

    return mock.patch.object(decoder, "__init__", init)
