"""What the contrastive term would be for a model that knows nothing, and at best."""

from jaxtyping import Int
from torch import Tensor

from cinelex.config.schema import ContrastiveConfig
from cinelex.core.distributed import gather_rows
from cinelex.losses.pairs import Pairs
from cinelex.metrics.failure_nulls import duplicate_floor
from cinelex.metrics.nulls import (
    infonce_chance_of,
    infonce_floor,
    infonce_in_chance_of,
    sigmoid_chance_of,
    sigmoid_floor,
)


def contrastive_chance(
    config: ContrastiveConfig,
    report_group: Int[Tensor, " study"],
    patient_group: Int[Tensor, " study"],
) -> float:
    """Return the contrastive term, in nats, of a model that scores all pairs of the batch alike."""
    pairs = Pairs.of(gather_rows(report_group), gather_rows(patient_group))
    if config.name == "siglip":
        return sigmoid_chance_of(pairs.positive, pairs.excluded)
    form = infonce_in_chance_of if config.options.get("form") == "in" else infonce_chance_of
    return form(pairs.positive, pairs.excluded)


def contrastive_floor(config: ContrastiveConfig, *, studies: int, temperature: float) -> float:
    """Return the least, in nats, that the term can be over ``studies`` different reports."""
    if config.name == "siglip":
        return sigmoid_floor(studies, temperature)
    return infonce_floor(studies, temperature)


def floor_of_duplicates(config: ContrastiveConfig, report_group: Int[Tensor, " study"]) -> float:
    """Return the least, in nats, that the term can be over this batch at any temperature.

    Above 0 where reports occur twice and every positive must get its share of the softmax.
    """
    if config.name == "siglip" or config.options.get("form") == "in":
        return 0.0
    groups = gather_rows(report_group)
    return duplicate_floor(groups[:, None] == groups[None, :])
