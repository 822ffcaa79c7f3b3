"""What the contrastive term would be for a model that knows nothing, and at best."""

from jaxtyping import Int
from torch import Tensor

from config.schema import ContrastiveConfig
from core.distributed import gather_rows
from losses.pairs import Pairs
from metrics.nulls import (
    infonce_chance_of,
    infonce_floor,
    infonce_in_chance_of,
    sigmoid_floor,
    sigmoid_start,
)


def contrastive_chance(
    config: ContrastiveConfig,
    report_group: Int[Tensor, " study"],
    patient_group: Int[Tensor, " study"],
) -> float:
    """Return the contrastive term, in nats, of a model that scores all pairs of the batch alike."""
    if config.name == "siglip":
        return sigmoid_start(len(gather_rows(report_group)))
    pairs = Pairs.of(gather_rows(report_group), gather_rows(patient_group))
    form = infonce_in_chance_of if config.options.get("form") == "in" else infonce_chance_of
    return form(pairs.positive, pairs.excluded)


def contrastive_floor(config: ContrastiveConfig, *, studies: int, temperature: float) -> float:
    """Return the least, in nats, that the term can be over ``studies`` different reports."""
    if config.name == "siglip":
        return sigmoid_floor(studies, temperature)
    return infonce_floor(studies, temperature)
