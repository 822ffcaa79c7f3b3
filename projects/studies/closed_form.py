"""Solves what a model adds to its towers, on the training split, before the first step."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.core.console import say
from cinelex.data.batch import Batch
from cinelex.data.features.store import FeatureStore, text_key
from cinelex.data.loader import Chosen, Samples
from cinelex.data.video.transforms import to_float
from cinelex.metrics.ridge import ridge_map
from cinelex.models.closed_form import Solution
from cinelex.models.contracts import PretrainedText
from cinelex.models.frozen import frozen_trunk
from cinelex.models.study_model import with_trunk
from cinelex.models.video_text import VideoText
from cinelex.projects.studies.encoding import device_of, evaluating, kept_of
from cinelex.projects.studies.floors import (
    TEXTS_AT_ONCE,
    Texts,
    rows_of,
    rows_solved_on,
)
from cinelex.projects.studies.trial import Trial


@dataclass(frozen=True)
class Known:
    """Samples that a closed form is solved on."""

    samples: Samples
    texts: Sequence[Texts]
    """Tokens of the texts of each; a sample with several is sent to their mean."""
    kept: FeatureStore | None
    """What a frozen text tower made of each text."""


def solve_closed_form(
    model: VideoText, known: Known, train: Known | None, *, batch: int, seed: int
) -> Trial:
    """Solve a model's closed form, unless it has none or one that is solved.

    Where the features that it is solved on are trained, it is solved again at each validation.

    Args:
        model: Whose towers have the weights that they begin with.
        known: All that it may know.
        train: The same without what validates; None where nothing was taken away for that.
        batch: Samples at once.
        seed: Decides which parts are left out in turn for the penalty.
    """
    form = model.closed_form
    if form is None:
        return Trial()

    solve = partial(_solution, batch=batch, seed=seed)
    if not form.solved:
        form.set(*solve(known, model))

    def without(at: VideoText) -> Solution | None:
        return None if train is None else solve(train, at)

    if form.trunk and not frozen_trunk(model.video_encoder):
        return Trial(form, again=lambda at: (solve(known, at), without(at)))
    return Trial(form, without(model))


@torch.no_grad()
def _solution(known: Known, model: VideoText, *, batch: int, seed: int) -> Solution:
    form, train, texts = model.closed_form, known.samples, known.texts
    assert form is not None
    indices = rows_solved_on(train)
    own = [text for index in indices for text in texts[index]]
    counts = np.array([len(texts[index]) for index in indices])
    with evaluating(model):
        rows = _text_rows(model, own, pad_id=train.tokenizer.pad_id, kept=known.kept)
        targets = np.add.reduceat(rows, np.cumsum(counts) - counts, axis=0) / counts[:, None]
        samples = Chosen(train if form.trunk else train.of_pixels(), indices)
        inputs = rows_of(partial(_inputs, model), samples, batch=batch, device=device_of(model))
    _, groups = np.unique(targets.round(4), axis=0, return_inverse=True)
    scale = form.scale_of(inputs)
    weight, offset, penalty = ridge_map(inputs / scale, targets, groups=groups, seed=seed)
    if not form.solved:
        say(f"closed form: solved on {len(indices)} training samples, penalty {penalty:g}")
    weight = weight / scale[:, None]
    return Solution(torch.from_numpy(weight).float(), torch.from_numpy(offset).float())


def _inputs(model: VideoText, batch: Batch) -> Float[Tensor, "study input"]:
    form, pixels, kept = model.closed_form, to_float(batch.clips), kept_of(batch)
    assert form is not None
    return form.inputs_of(
        pixels,
        batch.owner,
        with_trunk(model.video_encoder, pixels, kept).clips if form.trunk else None,
        studies=batch.studies,
        max_clips=max(batch.clip_counts),
    )


def _text_rows(
    model: VideoText,
    texts: Sequence[Int[np.ndarray, " _"]],
    *,
    pad_id: int,
    kept: FeatureStore | None,
) -> Float[np.ndarray, "text dim"]:
    """Return what the text encoder makes of texts, before it is given length 1."""
    rows = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = [torch.from_numpy(text) for text in texts[start : start + TEXTS_AT_ONCE]]
        token_ids = pad_sequence(some, batch_first=True, padding_value=pad_id)
        token_ids = token_ids.to(device_of(model))
        mask, encoder = token_ids != pad_id, model.text_encoder
        if kept is None:
            features = encoder(token_ids, mask)
        else:
            assert isinstance(encoder, PretrainedText)
            read = pad_sequence([kept.read(text_key(text)) for text in some], batch_first=True)
            features = encoder.tokens(read.to(token_ids.device))
            mask = mask[:, : features.shape[1]]
        pooled = encoder.pool(features, mask)
        rows.append(model.report_head(pooled).float().cpu())
    return torch.cat(rows).numpy()
