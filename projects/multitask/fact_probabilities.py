"""What the probabilities of facts are worth: bins beside shares, and net benefit by threshold."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from cinelex.metrics.calibration import net_benefit, reliability
from cinelex.projects.interface.exhibits import Table

THRESHOLDS = (0.1, 0.2, 0.3, 0.5)
"""Probabilities from which somebody would act."""
Judged = tuple[str, Float[np.ndarray, " _"], Bool[np.ndarray, " _"]]
"""The name of a fact, its probability for every item, and whether the report has it."""


def probability_tables(judged: Sequence[Judged]) -> list[Table]:
    """Return the reliability of each fact's probability, and its decision curve, as tables."""
    if not judged:
        return []
    bins = "Bins of equal numbers of items: mean probability beside the share that has the fact."
    benefit = "Net benefit an item of acting from a probability on, beside acting on all or nobody."
    return [
        Table(
            name="reliability",
            title="Reliability",
            note=bins,
            rows=[row for one in judged for row in _bins(*one)],
        ),
        Table(
            name="decision_curve",
            title="Decision curve",
            note=benefit,
            rows=[row for one in judged for row in _benefits(*one)],
        ),
    ]


def _bins(
    name: str, chance: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> list[Mapping[str, Any]]:
    return [
        {"fact": name, "probability": mean, "share": share, "items": count}
        for mean, share, count in reliability(chance, there)
    ]


def _benefits(
    name: str, chance: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> list[Mapping[str, Any]]:
    return [
        {
            "fact": name,
            "threshold": threshold,
            "net_benefit": net_benefit(chance, there, threshold),
            "acting_on_all": net_benefit(np.ones(len(there)), there, threshold),
            "acting_on_nobody": 0.0,
        }
        for threshold in THRESHOLDS
    ]
