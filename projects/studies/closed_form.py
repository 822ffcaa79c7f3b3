"""Solves what a model adds to its towers, on the training split, before the first step."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.data.batch import Batch
from cinelex.data.features.store import FeatureStore, text_key
from cinelex.data.loader import Chosen, Samples
from cinelex.data.video.transforms import to_float
from cinelex.metrics.ridge import ridge_map
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


@torch.no_grad()
def solve_closed_form(
    model: VideoText,
    train: Samples,
    texts: Sequence[Texts],
    *,
    kept: FeatureStore | None,
    batch: int,
    seed: int,
) -> None:
    """Solve a model's closed form, unless it has none or one that is solved.

    Args:
        model: Whose towers have the weights that they begin with.
        train: The training samples.
        texts: Tokens of the texts of each; a sample with several is sent to their mean.
        kept: What a frozen text tower made of each text.
        batch: Samples at once.
        seed: Decides which parts of the training split are left out in turn for the penalty.

    Raises:
        UserError: It is solved on features that are trained.
    """
    form = model.closed_form
    if form is None or form.solved:
        return
    if form.clips is None and not frozen_trunk(model.video_encoder):
        raise UserError(
            "model.closed_form.inputs: features are those of a frozen video encoder; set "
            "model.video_frozen=all, or model.closed_form.inputs=pixels"
        )
    indices = rows_solved_on(train)
    own = [text for index in indices for text in texts[index]]
    counts = np.array([len(texts[index]) for index in indices])
    with evaluating(model):
        rows = _text_rows(model, own, pad_id=train.tokenizer.pad_id, kept=kept)
        targets = np.add.reduceat(rows, np.cumsum(counts) - counts, axis=0) / counts[:, None]
        samples = Chosen(train if form.clips is None else train.of_pixels(), indices)
        inputs = rows_of(partial(_inputs, model), samples, batch=batch, device=device_of(model))
    _, groups = np.unique(targets.round(4), axis=0, return_inverse=True)
    weight, offset, penalty = ridge_map(inputs, targets, groups=groups, seed=seed)
    form.set(torch.from_numpy(weight).float(), torch.from_numpy(offset).float())
    say(f"closed form: solved on {len(indices)} training samples, penalty {penalty:g}")


def _inputs(model: VideoText, batch: Batch) -> Float[Tensor, "study input"]:
    form, pixels, kept = model.closed_form, to_float(batch.clips), kept_of(batch)
    assert form is not None
    return form.inputs_of(
        pixels,
        batch.owner,
        with_trunk(model.video_encoder, pixels, kept).clips if form.clips is None else None,
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
        pooled = encoder.pool(features, mask)
        rows.append(model.report_head(pooled).float().cpu())
    return torch.cat(rows).numpy()
