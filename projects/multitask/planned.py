"""The model of a run on the device ``meta``, and a step of it: shapes, without numbers or data."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.config.schema import RunConfig
from cinelex.core.errors import about, refusing
from cinelex.data.batch import Batch
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.frozen import frozen_trunk
from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.study_model import NOTHING, Kept
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.project import PlannedStep
from cinelex.projects.interface.towers import Towers
from cinelex.projects.multitask.masked_task import add_teacher, masked_task_of
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.tokenizers import PlannedTokenizer, planned_tokenizer

BERT_BASE = {"model_type": "bert"}
KNOWN: dict[str, dict[str, Any]] = {
    "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext": BERT_BASE,
    "microsoft/BiomedNLP-PubMedBERT-base-uncased-abstract-fulltext": BERT_BASE,
    "google-bert/bert-base-uncased": BERT_BASE,
    "bert-base-uncased": BERT_BASE,
}
"""Configs of transformers that need no network; all others are read from a folder or the hub."""
BERT_TOKENS = 30_522
LEVELS = [[0.5] * 3, [0.5] * 3]
"""Mean and deviation of pixels, which change no shape."""


def planned_step(config: RunConfig, *, studies: int) -> PlannedStep:
    """Return a step of a number of studies, each with ``data.max_videos`` videos.

    No weights are read: where a tower comes from a hub, its config is all that is needed.

    Raises:
        UserError: A part cannot be built, or parts do not fit one another or the clips.
    """
    data, tokenizer = config.data, tokenizer_of_size(config)
    clips = studies * data.max_videos * data.sampling.train_clips
    with torch.device("meta"):
        model = build_video_text(config, tokenizer, towers_without_weights(config)).train()
        add_teacher(config, model)
        pixels = torch.empty(clips, data.channels, data.frames, data.size, data.size)
        token_ids = torch.empty(studies, tokenizer.max_tokens, dtype=torch.int64)
        mask = torch.empty(studies, tokenizer.max_tokens, dtype=torch.bool)
    if isinstance(model.text_encoder, HuggingFaceText):
        # transformers looks at a mask's values, and here are none
        model.text_encoder.encoder.register_forward_pre_hook(_unmasked, with_kwargs=True)
    each = clips // studies
    owner = torch.arange(studies).repeat_interleave(each)
    hidden = _hidden(config, model, owner, studies)
    kept = _kept(config, model, pixels, token_ids, mask) if not hidden else NOTHING

    def loss() -> Tensor:
        out = model(
            pixels,
            owner.to("meta"),
            token_ids,
            mask,
            **hidden,
            max_clips=each,
            kept=kept,
        )
        parts = (
            out.study,
            out.report,
            out.reconstruction,
            out.patches,
            out.facts,
            out.caption_costs,
        )
        total = torch.stack([part.float().sum() for part in parts if part is not None]).sum()
        if out.caption_logits is not None:
            total = total + out.caption_logits.float().logsumexp(-1).sum()
        return total + out.temperature

    return PlannedStep(model, clips, kept, loss)


def _unmasked(_: nn.Module, given: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return given, {**named, "attention_mask": None}


def _kept(
    config: RunConfig, model: VideoText, pixels: Tensor, token_ids: Tensor, mask: Tensor
) -> Kept:
    """Return the shapes of what a step reads of frozen trunks; see ``keep_features``."""
    augmented = any(config.data.augmentation.model_dump().values())
    video = model.video_encoder
    if config.features.keep == "never" or augmented or not frozen_trunk(video):
        return NOTHING
    assert isinstance(video, PretrainedVideo)
    key = f"model.video_encoder: {config.model.video_encoder.name}"
    with torch.no_grad(), refusing(f"{key} cannot read such clips"):
        return Kept(clips=video.features(pixels))


def _hidden(config: RunConfig, model: VideoText, owner: Tensor, studies: int) -> dict[str, Tensor]:
    """Return which clips and tubelets are hidden; nothing where nothing is masked."""
    task = masked_task_of(config, model)
    if task is None:
        return {}
    nothing = torch.zeros(studies, dtype=torch.int64)
    counts = torch.bincount(owner).tolist()
    with about("model.mask_ratio"):
        drawn = task.draw(
            Batch(
                study_ids=[""] * studies,
                clips=torch.empty(len(owner), 0, 0, 0, 0, dtype=torch.uint8),
                owner=owner,
                token_ids=nothing[:, None],
                report_group=nothing,
                patient_group=nothing,
                keys=torch.arange(len(owner)),
                clip_counts=tuple(counts),
            )
        )
    found = {"keep": drawn.keep, "hide": drawn.hide, "masked": drawn.clips}
    return {name: value.to("meta") for name, value in found.items()}


def tokenizer_of_size(config: RunConfig) -> Any:
    """Return a tokenizer of the run's sizes; a pretrained one is taken to fit its encoder."""
    if config.tokenizer.kind != "pretrained":
        return planned_tokenizer(config.tokenizer)
    source = str(config.model.text_encoder.options.get("name", config.tokenizer.path))
    found = _config_of(source).get("vocab_size", BERT_TOKENS)
    return PlannedTokenizer(int(found), config.tokenizer.max_tokens)


def towers_without_weights(config: RunConfig) -> Towers:
    """Return what towers are built from without their weights."""
    video, text = config.model.video_encoder, config.model.text_encoder
    towers: dict[str, Any] = {"video": {}, "text": {}}
    source = video.options.get("pretrained")
    if video.name in ("videomae", "transformers") and isinstance(source, str):
        towers["video"] = {"config": _config_of(source), "pixels": LEVELS, "embedding": None}
    if text.name == "huggingface":
        name = text.options.get("name", next(iter(KNOWN)))
        towers["text"] = {"config": _config_of(str(name)), "embedding": None}
    return towers


def _config_of(source: str) -> dict[str, Any]:
    """Return the config of a model of transformers."""
    if source in KNOWN and not Path(source).exists():
        return KNOWN[source]
    from transformers import AutoConfig  # here, because it takes seconds

    with refusing(f"{source}: no config of transformers there"):
        found: dict[str, Any] = json.loads(AutoConfig.from_pretrained(source).to_json_string(False))
    return found
