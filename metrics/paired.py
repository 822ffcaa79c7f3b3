"""Whether one method is better than another: paired bootstrap over items and over seeds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cinelex.metrics.bootstrap import Groups, percentiles

MIN_SEEDS = 3
"""Seeds below which nothing is claimed: what one seed shows may be that seed."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much higher the second method scores than the first."""

    value: float
    """Mean difference over seeds and items."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of it."""
    p_value: float
    """Two-sided: how often resampled differences, shifted to mean 0, are as large; at least
    1 / (resamples + 1)."""
    seeds: int
    items: int

    @property
    def verdict(self) -> str:
        """Return "higher", "lower" or "not told apart"; never a claim from fewer than 3 seeds."""
        if self.seeds < MIN_SEEDS:
            return f"not told apart: {self.seeds} seeds of at least {MIN_SEEDS}"
        if self.low > 0:
            return "higher"
        return "lower" if self.high < 0 else "not told apart"


def paired_difference(
    first: Float[np.ndarray, "seed item"],
    second: Float[np.ndarray, "seed item"],
    *,
    groups: Groups | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Difference:
    """Compare two methods on the same items, trained with the same seeds.

    Each resample draws seeds and items with replacement, the same for both methods, so that the
    interval holds for other seeds and other items.

    Args:
        first: A score of every item under every seed, higher being more.
        second: The same of the other method, in the same order.
        groups: Items that are drawn together, such as the studies of one patient.
        resamples: Bootstrap resamples.
        seed: The same seed gives the same interval.

    Raises:
        ValueError: The shapes differ, there is nothing to compare, or a score is not finite.
    """
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"cannot pair scores of shapes {first.shape} and {second.shape}")
    gaps = second - first
    if not np.isfinite(gaps).all():
        raise ValueError("a score is not finite")
    seeds, items = gaps.shape
    random = np.random.default_rng(seed)
    seed_counts = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    _, member = np.unique(np.arange(items) if groups is None else groups, return_inverse=True)
    count = int(member.max()) + 1
    item_counts = random.multinomial(count, np.full(count, 1 / count), size=resamples)[:, member]
    sums = np.einsum("rs,si,ri->r", seed_counts, gaps, item_counts, optimize=True)
    drawn = sums / (seeds * item_counts.sum(axis=1))
    value = float(gaps.mean())
    low, high = percentiles(drawn)
    assert low is not None
    assert high is not None
    as_large = int((np.abs(drawn - value) >= abs(value) - 1e-12).sum())
    p_value = (1 + as_large) / (resamples + 1)
    return Difference(value=value, low=low, high=high, p_value=p_value, seeds=seeds, items=items)
