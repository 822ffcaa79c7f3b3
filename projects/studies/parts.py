"""From a config to the video-text model that it describes."""

import math
from typing import Any

import torch
from torch import nn

from cinelex.config.build import build_at
from cinelex.config.schedule import active_weights
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.errors import UserError, about, refusing
from cinelex.core.randomness import keyed_seed
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.losses.masked import STATISTICS
from cinelex.metrics.facts.targets import columns_of
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.models import (
    AGGREGATORS,
    CAPTION_DECODERS,
    FACT_HEADS,
    MASKED_DECODERS,
    TEXT_ENCODERS,
    VIDEO_ENCODERS,
)
from cinelex.models.adapters import Adapters, add_adapters
from cinelex.models.clip_pooling import MeanPooling, PositionPooling
from cinelex.models.closed_form import ClosedForm, pixel_count
from cinelex.models.contracts import (
    CaptionDecoder,
    FactHeads,
    MaskedDecoder,
    PretrainedVideo,
    TextEncoder,
    VideoEncoder,
)
from cinelex.models.trunks import freeze
from cinelex.models.video_text import VideoText
from cinelex.models.views import embedding_of
from cinelex.projects.interface.towers import Towers
from cinelex.projects.studies.contrast import contrast_options

MAX_POOLING, MIN_HIDDEN = 4_000_000, 16
"""Parameters that reading by position has unless told, and the fewest numbers in its midst."""


def build_video_text(
    config: RunConfig, tokenizer: Tokenizer, towers: Towers | None = None
) -> VideoText:
    """Build the parts that the losses need, freshly initialised from the run's seed, and join them.

    Args:
        config: The run.
        tokenizer: What reads its reports.
        towers: What a run that was trained kept of its towers.

    Raises:
        UserError: A part or an option does not exist, or parts do not fit one another.
    """
    parts, weights, kept = config.model, active_weights(config), towers or {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(keyed_seed(config.seed, "weights"))
        video = build_at(
            "model.video_encoder",
            VIDEO_ENCODERS,
            parts.video_encoder,
            width=parts.width,
            frames=config.data.frames,
            size=config.data.size,
            channels=config.data.channels,
            kept=kept.get("video"),
        )
        text = text_encoder(config, tokenizer, kept=kept.get("text"))
        with refusing("model: the parts do not fit one another"):
            model = VideoText(
                video_encoder=video,
                aggregator=build_at(
                    "model.aggregator", AGGREGATORS, parts.aggregator, width=video.width
                ),
                text_encoder=text,
                dim=parts.dim,
                heads=parts.heads,
                dropout=parts.dropout,
                closed_form=_closed_form(config, video, text),
                view_embedding=embedding_of(video.width, parts.views.count, parts.views.angles),
                caption_decoder=(
                    caption_decoder(config, tokenizer, memory_width=video.width)
                    if "captioning" in weights
                    else None
                ),
                masked_decoder=_predictor(config, video) if "masked_modeling" in weights else None,
                fact_heads=_fact_heads(config, video) if "facts" in weights else None,
                facts=_facts(config) if "facts" in weights else 0,
                facts_in_memory="facts" in weights and parts.facts_in_memory,
                patch_heads="patch_contrastive" in weights,
                aggregate=parts.aggregate,
                clip_pooling=_clip_pooling(config, video),
                study_in_memory=parts.study_in_memory,
                **contrast_options(config),
            )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(keyed_seed(config.seed, "adapters"))
        _freeze(model, config)
    return model


def _clip_pooling(config: RunConfig, video: VideoEncoder) -> nn.Module:
    """Return what makes a row of a clip's tokens.

    Raises:
        UserError: Places are to be weighted, and nothing is made of clips' rows.
    """
    if config.model.clip_pooling == "mean":
        return MeanPooling()
    if config.model.aggregate != "clips":
        raise UserError("model.clip_pooling=positions needs model.aggregate=clips")
    tokens, width = math.prod(video.grid), video.width
    frugal = max(MIN_HIDDEN, MAX_POOLING // (tokens * width))
    hidden = config.model.position_hidden or min(2 * width, frugal)
    if hidden < 2 * width or tokens * width * hidden > MAX_POOLING:
        say(
            f"clip_pooling: positions reads {tokens} tokens of {width} numbers through {hidden}: "
            f"{tokens * width * hidden:,} parameters (model.position_hidden sets how many, "
            "model.clip_pooling=mean has none)"
        )
    return PositionPooling(width=width, tokens=tokens, hidden=hidden)


def text_encoder(config: RunConfig, tokenizer: Tokenizer, *, kept: Any = None) -> TextEncoder:
    """Build the text encoder for a tokenizer's tokens, from what a checkpoint kept of it if so."""
    return build_at(
        "model.text_encoder",
        TEXT_ENCODERS,
        config.model.text_encoder,
        vocab=tokenizer.vocab_size,
        width=config.model.width,
        max_tokens=tokenizer.max_tokens,
        kept=kept,
    )


def caption_decoder(
    config: RunConfig, tokenizer: Tokenizer, *, memory_width: int
) -> CaptionDecoder:
    """Build the caption decoder over a memory of some width."""
    return build_at(
        "model.caption_decoder",
        CAPTION_DECODERS,
        config.model.caption_decoder,
        vocab=tokenizer.vocab_size,
        width=config.model.width,
        memory_width=memory_width,
        max_tokens=max(tokenizer.max_tokens, config.evaluation.max_new_tokens),
    )


def _fact_heads(config: RunConfig, video: VideoEncoder) -> FactHeads:
    return build_at(
        "model.fact_heads",
        FACT_HEADS,
        config.model.fact_heads,
        width=video.width,
        tokens=math.prod(video.grid),
        facts=_facts(config),
    )


def _facts(config: RunConfig) -> int:
    """Return how many numbers are asked for."""
    return len(columns_of(vocabulary(config.facts.vocabulary)))


def _predictor(config: RunConfig, video: VideoEncoder) -> MaskedDecoder:
    if not video.drops_tokens:
        raise UserError(
            f"loss_weights.masked_modeling: {config.model.video_encoder.name} cannot drop tokens, "
            "so nothing can be masked; set it to 0, or model.video_encoder.name=vit or videomae"
        )
    pixels = config.data.channels * math.prod(video.tubelet) + STATISTICS
    return build_at(
        "model.masked_decoder",
        MASKED_DECODERS,
        config.model.masked_decoder,
        grid=video.grid,
        memory_width=video.width,
        output=pixels if config.masked_modeling.target == "pixels" else video.width,
        visible=config.masked_modeling.visible,
    )


def _closed_form(config: RunConfig, video: VideoEncoder, text: TextEncoder) -> ClosedForm | None:
    """Return what is added to the towers.

    Raises:
        UserError: What it is solved on, or what it predicts, would move while it is trained.
    """
    asked, data = config.model.closed_form, config.data
    if asked is None:
        return None
    if config.model.heads != "study" or any(p.requires_grad for p in text.parameters()):
        raise UserError(
            "model.closed_form needs report vectors that are fixed; set model.heads=study and a "
            "text encoder that is not trained, such as model.text_encoder.name=tfidf"
        )
    trunk = clips = 0
    if asked.inputs != "pixels":
        if not isinstance(video, PretrainedVideo):
            raise UserError(
                "model.closed_form.inputs: features are those of a pretrained video encoder; set "
                "model.closed_form.inputs=pixels"
            )
        trunk = video.native
    if asked.inputs != "features":
        clips = asked.clips
    return ClosedForm(
        dim=config.model.dim,
        share=None if asked.share == "validated" else asked.share,
        trunk=trunk,
        clips=clips,
        pixels=pixel_count(channels=data.channels, frames=data.frames, size=data.size, count=clips),
    )


def _freeze(model: VideoText, config: RunConfig) -> None:
    """Freeze what the config says of the towers, or give them adapters.

    Raises:
        UserError: A share is to be frozen of what adapters leave frozen as a whole.
    """
    parts = config.model
    for key, tower, frozen, lora in (
        ("video", model.video_encoder, parts.video_frozen, parts.video_lora),
        ("text", model.text_encoder, parts.text_frozen, parts.text_lora),
    ):
        part = "its pretrained part" if tower.trunk else "it, which is fresh as a whole,"
        if lora is not None:
            if frozen not in ("none", "all"):
                raise UserError(f"model.{key}_frozen: adapters leave all frozen; set it to all")
            with about(f"model.{key}_lora"):
                names = add_adapters(tower, Adapters(**lora.model_dump()))
            say(f"{key} encoder: adapters of rank {lora.rank} on {len(names)} layers of {part}")
        elif frozen != "none":
            share = freeze(tower, frozen)
            say(f"{key} encoder: {share:.1%} of {part} is frozen, {frozen} asked for")
