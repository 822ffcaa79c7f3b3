"""Studies of drawn numbers, held in memory, in place of a manifest and its videos."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.data.batch import Sample
from cinelex.data.sampler import StudySampler
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.masked_term import masked_term_of
from cinelex.projects.multitask.planned import tokenizer_of_size, towers_without_weights
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies.parts import build_video_text

CONFIGS = Path(__file__).parents[2] / "config" / "clip"
CLIPS = 64
"""Distinct clips; every study has some of them."""
MADE_UP = (
    "loss_weights.facts=0.0",
    "probe_every=0",
    "validate_every=0",
    "optimizer.warmup_steps=1",
)
BASE = (
    *("model.width=768", "model.dim=512", "data.size=224", "data.frames=16", "data.channels=3"),
    *("model.video_encoder.options.tubelet=[2,16,16]", "model.clip_pooling=mean"),
    *("model.video_encoder.options.stem=linear", "data.max_videos=2"),
    *(
        f"model.{part}.options.{key}=12"
        for part in ("video_encoder", "text_encoder")
        for key in ("depth", "heads")
    ),
    *("model.caption_decoder.options.depth=4", "model.caption_decoder.options.heads=12"),
    *("model.masked_decoder.options.depth=4", "model.mask_ratio=0.9", "batch=32"),
)
"""ViT-B/16 on 16 frames of 224, all three terms."""
TINY = (
    *("model.width=16", "model.dim=8", "data.size=16", "data.frames=2", "data.max_videos=2"),
    *("model.video_encoder.options.tubelet=[2,8,8]", "model.clip_pooling=mean", "batch=4"),
    *("model.video_encoder.options.stem=linear", "tokenizer.max_tokens=8"),
    *("tokenizer.vocab_size=300",),
    *(
        f"model.{part}.options.{key}={value}"
        for part in ("video_encoder", "text_encoder", "caption_decoder")
        for key, value in (("depth", 1), ("heads", 2))
    ),
    *("model.masked_decoder.options.depth=1", "model.masked_decoder.options.width=12"),
)


@dataclass
class MadeUp:
    """Training studies, as a run reads them."""

    config: RunConfig
    tokenizer: Tokenizer
    views: tuple[str, ...] = ()
    token_ids: tuple[Any, ...] = ()
    clips: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        """Draw the clips."""
        data, random = self.config.data, torch.Generator().manual_seed(0)
        shape = (CLIPS, data.frames, data.size, data.size, data.channels)
        self.clips = torch.randint(256, shape, generator=random, dtype=torch.uint8)

    def __len__(self) -> int:
        return 16 * self.config.batch

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return a study; of a batch each has its own number of tokens."""
        random = torch.Generator().manual_seed(index)
        count = self.config.data.max_videos
        length = self.tokenizer.max_tokens - index % (self.tokenizer.max_tokens // 2)
        drawn = torch.randint(3, self.tokenizer.vocab_size, (length,), generator=random)
        drawn[0], drawn[-1] = self.tokenizer.bos_id, self.tokenizer.eos_id
        places = [(index * count + n) % CLIPS for n in range(count)]
        keys = torch.randint(2**62, (count,), generator=random)
        return Sample(str(index), self.clips[places], drawn, index, index, keys)

    def of_pixels(self) -> "MadeUp":
        """Return itself."""
        return self


@dataclass(frozen=True)
class MadeUpData:
    """What a run reads, as far as a training step goes."""

    tokenizer: Tokenizer
    train: MadeUp
    sampler: StudySampler
    validation: None = None
    hash: str = "drawn"


class MadeUpProject(MultitaskProject):
    """Multitask training on drawn studies, with fresh towers that need no file."""

    def model(self) -> VideoText:
        """Build the model of the config, without the weights that its towers may begin with."""
        model = build_video_text(
            self.config, self.data.tokenizer, towers_without_weights(self.config)
        )
        self.masked = masked_term_of(self.config, model)
        return model

    def ready(self, model: VideoText) -> tuple[str, ...]:
        """Keep nothing: every tower runs in every step."""
        return ()


def made_up(name: str, *overrides: str) -> tuple[RunConfig, MadeUpProject]:
    """Return a shipped config, changed, and its project on drawn studies."""
    config = load_config(CONFIGS / name, [*MADE_UP, *overrides])
    tokenizer = tokenizer_of_size(config)
    train = MadeUp(config, tokenizer)
    sampler = StudySampler(studies=len(train), batch=config.batch, seed=0)
    data: Any = MadeUpData(tokenizer, train, sampler)
    return config, MadeUpProject(config, data)
