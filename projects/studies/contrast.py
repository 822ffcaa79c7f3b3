"""The contrastive term between studies and reports, and what surrounds it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from cinelex.config.schedule import value_at
from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.losses.pairs import Pairs
from cinelex.metrics.failure_nulls import duplicate_floor
from cinelex.metrics.nulls import infonce_floor
from cinelex.models.study_model import MatchedOutputs
from cinelex.models.temperature import Temperature
from cinelex.projects.interface.contrast import INFONCE, INFONCE_IN, SIGLIP, Contrast
from cinelex.projects.interface.terms import TermNulls

CONTRASTS = {"infonce": INFONCE, "siglip": SIGLIP}
"""The forms by their name in a config, each one's loss in `cinelex.losses.CONTRASTIVE`."""


def study_contrast(config: RunConfig) -> Contrast:
    """Return the form of contrast between studies and reports that a config asks for."""
    inside = config.contrastive.options.get("form") == "in"
    form = INFONCE_IN if inside else CONTRASTS[config.contrastive.name]
    asked = config.contrastive.options.get("label_smoothing")
    if not asked or not isinstance(asked, float):
        return form
    return replace(
        form,
        formula=f"{form.formula}, with labels smoothed by {asked:g}",
        floor=partial(infonce_floor, label_smoothing=asked),
    )


def contrast_options(config: RunConfig) -> dict[str, Any]:
    """Return what a model with a contrastive loss is told of temperature and bias."""
    temperature = Temperature(
        start=value_at(config.temperature, step=0, steps=config.steps),
        learned=config.learn_temperature,
        allowed=config.temperature_range,
    )
    return {
        "temperature": temperature,
        "bias": study_contrast(config).start_bias(config.batch),
    }


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
    form = study_contrast(config)
    same = report_group[:, None] == report_group[None, :]
    least = duplicate_floor(same) if form.shares_positives else 0.0
    return TermNulls(
        chance=form.chance_of(pairs.positive, pairs.excluded),
        floor_at=lambda temperature: max(form.floor(config.batch, temperature), least),
    )
