"""Defects that show while a run trains, or in its results."""

from unittest import mock

from benchmarks.defect_code import (
    in_gray_levels,
    live_target,
    not_finite,
    patched,
    rate,
    scaled,
    shuffled_videos,
    slow_loader,
    terms,
)
from benchmarks.defect_models import (
    blind_decoder,
    constant_caption,
    mostly_bias,
    no_gradient_to_text,
)
from benchmarks.doctor_document import Defect
from benchmarks.doctor_settings import EQ, FEW_STUDIES, LATENT
from cinelex.models import CAPTION_DECODERS, LATENT_HEADS, caption_decoder, embedding
from tests.historical_latent import DeadLatent, FirstPositionDecoder

MATCHING = ("loss_weights.captioning=0", "loss_weights.masked_modeling=0")
"""Matching alone, which is what some defects need and costs a third."""
NO_CAPTIONS = ("loss_weights.captioning=0", "loss_weights.masked_modeling=1")
"""Weights at which both terms have a say from the first steps on."""
MASKED = ("loss_weights.captioning=0", "loss_weights.contrastive=0", "loss_weights.facts=0")
"""Masked modelling alone: heads on facts would hold the tower open."""

TRAINING_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "cosine stepped twice a step",
        "10",
        "D5",
        "short",
        overrides=("steps=40",),
        code=rate(lambda step: 2 * step, folded=True),
        says="rose again",
    ),
    Defect(
        "warm-up stepped per epoch",
        "33",
        "D5",
        "short",
        code=rate(lambda step: step // 32, folded=False),
        says="warm-up takes",
    ),
    Defect(
        "collapsed contrastive loss read as flat learning",
        "25",
        "D10",
        "small",
        overrides=MATCHING,
        code=patched(embedding, "embedding_head", mostly_bias),
    ),
    Defect(
        "masked pixels in gray levels",
        "",
        "D11",
        "small",
        overrides=NO_CAPTIONS,
        code=terms(in_gray_levels),
    ),
    Defect(
        "head that is nothing but its bias",
        "",
        "D12",
        "small",
        overrides=MATCHING,
        code=patched(embedding, "embedding_head", mostly_bias),
    ),
    Defect(
        "masked modelling on live outputs",
        "8",
        "D12",
        "small",
        overrides=MASKED,
        code=terms(live_target),
    ),
    Defect(
        "latents that are the bias of their layer",
        "",
        "D12",
        "short",
        overrides=("latent.head={name: dead}",),
        code=lambda: mock.patch.dict(LATENT_HEADS, {"dead": DeadLatent}),
        says="to the bias",
        recipe=LATENT,
    ),
    Defect(
        "videos shuffled among reports",
        "13",
        "D13",
        "learning",
        overrides=MATCHING,
        code=shuffled_videos,
    ),
    Defect(
        "text tower decayed to zero",
        "",
        "D14",
        "short",
        overrides=("steps=40", *MATCHING),
        code=no_gradient_to_text,
    ),
    Defect(
        "loss that is not finite now and then",
        "17",
        "D15",
        "short",
        overrides=("steps=40", *MATCHING),
        code=not_finite,
        says="not finite",
    ),
    Defect(
        "temperature clamped where it starts",
        "",
        "D16",
        "short",
        overrides=("temperature_range=[0.0999,0.1001]", *MATCHING),
    ),
    Defect(
        "constant captions",
        "24",
        "D17",
        "whole",
        code=patched(caption_decoder.TransformerCaptionDecoder, "generate", constant_caption),
        says="same caption",
    ),
    Defect(
        "caption path that bypasses the video",
        "20",
        "D17",
        "whole",
        code=blind_decoder,
        says="hardly uses",
    ),
    Defect(
        "latent that reaches the first token alone",
        "20",
        "D17",
        "small",
        overrides=("model.caption_decoder.name=first_position",),
        code=lambda: mock.patch.dict(CAPTION_DECODERS, {"first_position": FirstPositionDecoder}),
        says="a bigram model",
        recipe=LATENT,
    ),
    Defect(
        "loader slower than the model",
        "",
        "D19",
        "short",
        overrides=MATCHING,
        code=slow_loader,
        says="waiting",
    ),
    Defect(
        "studies memorised",
        "",
        "D21",
        "learning",
        overrides=(*FEW_STUDIES, *MATCHING),
    ),
    Defect(
        "every metric 4.08 % better than measured",
        "21",
        "D22",
        "results",
        says="of the run of --reference",
        results=lambda results: scaled(results, 1.0408),
    ),
    Defect(
        "results without hashes",
        "21",
        "D22",
        "results",
        says="hash",
        results=lambda results: {**results, "provenance": {}},
    ),
)
"""In the order of their rules."""

HEALTHY = Defect("no defect, small latent", "", "", "small", recipe=LATENT)
CONTROLS: tuple[Defect, ...] = (
    Defect("no defect, fresh", "", "", "fresh"),
    Defect("no defect, short", "", "", "short", overrides=MATCHING),
    Defect("no defect, matching alone", "", "", "learning", overrides=MATCHING),
    Defect("no defect, no captions", "", "", "learning", overrides=NO_CAPTIONS),
    Defect("no defect, masked modelling alone", "", "", "learning", overrides=MASKED),
    Defect("no defect, whole", "", "", "whole"),
    Defect("no defect, written", "", "", "written", recipe=EQ),
    HEALTHY,
)
"""What has a defect above, without it."""
