"""The tables that a config names entries of, and names that are refused before data is made."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from cinelex.config.build import check_part
from cinelex.config.schema import RunConfig
from cinelex.core.errors import about
from cinelex.losses import BALANCES, CONTRASTIVE, NEGATIVES
from cinelex.models import (
    AGGREGATORS,
    CAPTION_DECODERS,
    IMAGE_DECODERS,
    LATENT_HEADS,
    MASKED_DECODERS,
    TEXT_ENCODERS,
    VIDEO_ENCODERS,
)

TABLES: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "balance": BALANCES,
    "contrastive": CONTRASTIVE,
    "model.video_encoder": VIDEO_ENCODERS,
    "model.aggregator": AGGREGATORS,
    "model.text_encoder": TEXT_ENCODERS,
    "model.caption_decoder": CAPTION_DECODERS,
    "model.masked_decoder": MASKED_DECODERS,
    "latent.head": LATENT_HEADS,
    "latent.image_decoder": IMAGE_DECODERS,
    "clipse.negatives": NEGATIVES,
}
"""By the key of a config that names an entry and its options."""


def check_names(config: RunConfig) -> None:
    """Refuse what no table has, and options that an entry does not take.

    Raises:
        UserError: Names the key, and the nearest name or all of them.
    """
    for key, table in TABLES.items():
        part: Any = reduce(getattr, key.split("."), config)
        with about(key):
            check_part(table, part)
