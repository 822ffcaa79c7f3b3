"""From a config to the latent captioner that it describes, and to the engravings it reads."""

import torch

from cinelex.config.build import build_at
from cinelex.config.schema import RunConfig
from cinelex.core.errors import refusing
from cinelex.core.randomness import keyed_seed
from cinelex.data.studies.study import Columns
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.models import IMAGE_DECODERS, LATENT_HEADS, VIDEO_ENCODERS
from cinelex.models.latent_captioner import LatentCaptioner
from cinelex.projects.interface.towers import Towers
from cinelex.projects.studies.contrast import contrast_options
from cinelex.projects.studies.data import MadeSet
from cinelex.projects.studies.parts import caption_decoder, text_encoder


def build_latent_captioner(
    config: RunConfig, tokenizer: Tokenizer, towers: Towers | None = None
) -> LatentCaptioner:
    """Build the parts, freshly initialised from the run's seed, and join them.

    Args:
        config: The run.
        tokenizer: What reads its reports.
        towers: What a run that was trained kept of its towers.

    Raises:
        UserError: A part or an option does not exist, or parts do not fit one another.
    """
    parts, latent, data, kept = config.model, config.latent, config.data, towers or {}
    picture = {"frames": data.frames, "size": data.size, "channels": data.channels}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(keyed_seed(config.seed, "weights"))
        encoder = build_at(
            "model.video_encoder",
            VIDEO_ENCODERS,
            parts.video_encoder,
            width=parts.width,
            kept=kept.get("video"),
            **picture,
        )
        head = build_at(
            "latent.head",
            LATENT_HEADS,
            latent.head,
            width=encoder.width,
            grid=encoder.grid,
            latent=latent.size,
        )
        with refusing("model: the parts do not fit one another"):
            return LatentCaptioner(
                image_encoder=encoder,
                latent_head=head,
                caption_decoder=caption_decoder(config, tokenizer, memory_width=parts.width),
                image_decoder=build_at(
                    "latent.image_decoder",
                    IMAGE_DECODERS,
                    latent.image_decoder,
                    latent=latent.size,
                    **picture,
                ),
                text_encoder=text_encoder(config, tokenizer, kept=kept.get("text")),
                dim=parts.dim,
                memory_tokens=latent.memory_tokens,
                memory_width=parts.width,
                **contrast_options(config),
            )


def make_engravings(config: RunConfig) -> MadeSet:
    """Make the engravings that the config describes, unless they are there."""
    # here, because most runs need none
    from cinelex.data.synthetic.engravings.engraving_set import (
        EngravingSetSettings,
        make_engraving_set,
    )

    settings = EngravingSetSettings(size=config.data.size, **config.latent.engravings.model_dump())
    return make_engraving_set(settings, config.data.cache / "synthetic"), Columns()
