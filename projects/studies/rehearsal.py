"""A model of clips and reports tried once, on made-up input, before any video is decoded."""

from collections.abc import Callable

import torch
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError, refusing
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Batch
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.transforms import to_float
from cinelex.models.study_model import StudyModel
from cinelex.projects.interface.towers import Towers
from cinelex.projects.studies.tokenizers import planned_tokenizer

Build = Callable[[RunConfig, Tokenizer, Towers | None], StudyModel]
"""From a config to its model, without any data."""


@torch.no_grad()
def rehearse_studies(config: RunConfig, build: Build) -> tuple[StudyModel, Batch]:
    """Build a model and show it one clip and a report as long as any.

    Returns:
        The model, in evaluation mode, and the batch of one study that it was shown.

    Raises:
        UserError: Names the key of what cannot be built, or cannot read what the run would give it.
    """
    tokenizer = planned_tokenizer(config.tokenizer)
    model = build(config, tokenizer, None).eval()
    batch = made_up_batch(config, tokenizer)
    data, parts = config.data, config.model
    clip = f"a clip of {data.frames} frames of {data.size} pixels, {data.channels} channels"
    with refusing(f"model.video_encoder: {parts.video_encoder.name} cannot read {clip}"):
        features = model.encode_clips(to_float(batch.clips))
    _check_finite(features, f"model.video_encoder: {parts.video_encoder.name}")
    longest = f"a report of {tokenizer.max_tokens} tokens; lower tokenizer.max_tokens"
    with refusing(f"model.text_encoder: {parts.text_encoder.name} cannot read {longest}"):
        rows = model.encode_report(batch.token_ids, batch.token_ids != tokenizer.pad_id)
    _check_finite(rows.report, f"model.text_encoder: {parts.text_encoder.name}")
    model.join_clips(features, batch.owner, studies=1, max_clips=1)
    return model, batch


def _check_finite(made: Tensor, what: str) -> None:
    """Refuse an encoder whose weights are damaged.

    Raises:
        UserError: What it makes of sound input is no number.
    """
    if not made.isfinite().all():
        raise UserError(f"{what} gives outputs that are not finite; copy its weights again")


def made_up_batch(config: RunConfig, tokenizer: Tokenizer) -> Batch:
    """Return one study of one clip of noise, and a report of as many tokens as there may be."""
    data = config.data
    draw = torch.Generator().manual_seed(keyed_seed(config.seed, "rehearsal") % 2**63)
    shape = (1, data.frames, data.size, data.size, data.channels)
    token_ids = torch.randint(0, tokenizer.vocab_size, (1, tokenizer.max_tokens), generator=draw)
    others = [i for i in range(4) if i != tokenizer.pad_id and i < tokenizer.vocab_size]
    token_ids[token_ids == tokenizer.pad_id] = others[0]
    token_ids[0, 0], token_ids[0, -1] = tokenizer.bos_id, tokenizer.eos_id
    one = torch.zeros(1, dtype=torch.int64)
    return Batch(
        study_ids=["rehearsal"],
        clips=torch.randint(0, 256, shape, dtype=torch.uint8, generator=draw),
        owner=one,
        token_ids=token_ids,
        report_group=one,
        patient_group=one,
        keys=one,
        clip_counts=(1,),
    )
