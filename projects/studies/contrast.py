"""The contrastive term between studies and reports, and what surrounds it."""

from collections.abc import Callable

from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.losses.pairs import Pairs
from cinelex.metrics.failure_nulls import duplicate_floor
from cinelex.metrics.nulls import (
    infonce_chance_of,
    infonce_floor,
    infonce_in_chance_of,
    sigmoid_chance_of,
    sigmoid_floor,
)
from cinelex.models.study_model import MatchedOutputs
from cinelex.projects.interface.terms import TermNulls


def contrast(loss: Callable[..., Tensor], out: MatchedOutputs, batch: Batch) -> Tensor:
    """Return the term of a batch; only a sigmoid loss has a bias."""
    bias = {} if out.bias is None else {"bias": out.bias}
    return loss(
        out.study,
        out.report,
        temperature=out.temperature,
        **bias,
        report_group=batch.report_group,
        patient_group=batch.patient_group,
    )


def contrastive_nulls(config: RunConfig, batch: Batch) -> TermNulls:
    """Return the term, in nats, of a model that scores all pairs of a batch alike, and its least.

    Where reports occur twice and every positive must get its share of the softmax, the least is
    above 0 at any temperature.
    """
    report_group = gather_rows(batch.report_group)
    pairs = Pairs.of(report_group, gather_rows(batch.patient_group))
    if config.contrastive.name == "siglip":
        return TermNulls(
            chance=sigmoid_chance_of(pairs.positive, pairs.excluded),
            floor_at=lambda temperature: sigmoid_floor(config.batch, temperature),
        )
    asked = config.contrastive.options.get("label_smoothing")
    smoothing = asked if isinstance(asked, float) else 0.0
    inside = config.contrastive.options.get("form") == "in"
    chance = infonce_in_chance_of if inside else infonce_chance_of
    least = 0.0 if inside else duplicate_floor(report_group[:, None] == report_group[None, :])
    return TermNulls(
        chance=chance(pairs.positive, pairs.excluded),
        floor_at=lambda temperature: max(
            infonce_floor(config.batch, temperature, label_smoothing=smoothing), least
        ),
    )
