"""Whether numbers look measured: metrics that all move by the same share were computed."""

from collections.abc import Mapping

LEAST_METRICS = 4
"""Metrics that must have moved before their agreement says anything."""
TOLERANCE = 1e-3
"""Relative changes closer than this are the same; real metrics never agree so well."""


def moved_alike(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Return the relative change that all metrics share, where they do; None where they do not.

    Recall, ranks and precision have different curves: a real improvement moves each by another
    share. Metrics that are equal in both, or 0 in the first, say nothing and are left out.

    Args:
        first: Metrics of one evaluation, by name.
        second: The same of another.
    """
    changes = [
        abs(second[name] / first[name] - 1)
        for name in first.keys() & second.keys()
        if first[name] and first[name] != second[name]
    ]
    if len(changes) < LEAST_METRICS or max(changes) - min(changes) > TOLERANCE:
        return None
    return sum(changes) / len(changes)
