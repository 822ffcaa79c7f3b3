"""The kinds of facts that captions can be scored by: one a field, and none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from cinelex.metrics import engraving_facts, facts


@dataclass(frozen=True, kw_only=True)
class FactScheme:
    """How the facts of two texts are counted, and what becomes of the counts."""

    size: int
    """Numbers that one study adds."""
    counts: Callable[[str, str], Float[np.ndarray, " count"]]
    """From a reference and a candidate to counts that add up over studies."""
    rates: Callable[[Float[np.ndarray, "*batch count"]], Mapping[str, Float[np.ndarray, "*batch"]]]
    """From summed counts to scores; NaN where undefined."""
    variant: str
    """How the scores are averaged."""


def _no_counts(reference: str, candidate: str) -> Float[np.ndarray, " count"]:
    return np.zeros(0)


def _no_rates(sums: Float[np.ndarray, "*batch count"]) -> dict[str, Float[np.ndarray, "*batch"]]:
    return {}


FACT_SCHEMES: Final[Mapping[str, FactScheme]] = {
    "coronary": FactScheme(
        size=len(facts.COUNTS),
        counts=facts.fact_counts,
        rates=facts.rates,
        variant="micro-averaged over studies, facts parsed from text",
    ),
    "engraving": FactScheme(
        size=3 * len(engraving_facts.LEVELS),
        counts=engraving_facts.fact_counts,
        rates=engraving_facts.rates,
        variant=engraving_facts.VARIANT,
    ),
    "none": FactScheme(size=0, counts=_no_counts, rates=_no_rates, variant=""),
}
"""By their name in a config."""
