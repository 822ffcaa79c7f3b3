"""How sure a number is: bootstrap percentile intervals over the items it was measured on.

Items that are not independent, such as the studies of one patient, are drawn together: their
``groups`` are resampled, and the items come with them.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int

from cinelex.core.progress import progress

Statistic = Callable[[np.ndarray], np.ndarray]
"""Maps resampled values, one resample a row, to one number a row."""

Groups = Int[np.ndarray, " item"]
"""The same number for items that are drawn together."""
Weighted = Callable[[np.ndarray], np.ndarray]
"""Maps how often each resample has each item, ``[resample item]``, to one number a resample."""

CONFIDENCE = 0.95
"""Share of the resamples between the two ends of an interval."""
_DRAWS_AT_ONCE = 1_000_000


def mean(rows: Float[np.ndarray, "resample item"]) -> Float[np.ndarray, " resample"]:
    """Return the mean of each resample."""
    return np.asarray(rows.mean(axis=1))


def median(rows: Float[np.ndarray, "resample item"]) -> Float[np.ndarray, " resample"]:
    """Return numpy's median of each resample: the middle two are averaged."""
    return np.asarray(np.median(rows, axis=1))


def interval(
    values: Float[np.ndarray, " item"],
    *,
    statistic: Statistic = mean,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float | None, float | None]:
    """Return the bootstrap percentile interval of a statistic of items.

    Items, or whole ``groups`` of them, are drawn with replacement, as many as there are. With fewer
    than two nothing can be said about the spread, and both ends are None. The same seed gives the
    same interval, and so do groups of one item each.

    Raises:
        ValueError: if a value is not finite.

    Source: Efron 1979, Annals of Statistics 7(1).
    """
    _check(values)
    items = len(values)
    if _together(groups) is not None:
        assert groups is not None
        return interval_of_drawn(
            lambda counts: np.concatenate(
                [statistic(np.repeat(values, row.astype(int))[None]) for row in counts]
            ),
            groups,
            resamples=resamples,
            seed=seed,
        )
    if items < 2:
        return None, None
    generator = np.random.default_rng(seed)
    drawn = [
        statistic(values[generator.integers(0, items, size=(some, items))])
        for some in _some_at_a_time(resamples, items)
    ]
    return percentiles(np.concatenate(drawn))


def interval_of_sums(
    counts: Float[np.ndarray, "item column"],
    *,
    statistic: Statistic,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float | None, float | None]:
    """Return the bootstrap percentile interval of a statistic of column sums.

    Serves everything that is micro-averaged: with columns (true positives, false positives,
    false negatives) per study, F1 is a function of the three sums. Resamples in which the
    statistic is not finite (nothing to score) are left out; with none left, or fewer than two
    items, both ends are None.

    Args:
        counts: what each item adds to each sum.
        statistic: maps sums, ``[resample column]``, to one number a resample.
        groups: items that are drawn together; None draws each by itself.
        resamples: number of bootstrap resamples.
        seed: the same seed gives the same interval.

    Raises:
        ValueError: if a count is not finite.
    """
    counts = per_group(counts, groups)
    if len(counts) < 2:
        _check(counts)
        return None, None
    sums = resampled_sums(counts, resamples=resamples, seed=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = statistic(sums)
    return percentiles(drawn[np.isfinite(drawn)])


def interval_of_unanimous(share: float, items: int) -> tuple[float | None, float | None]:
    """Return the exact binomial interval of a share that is 0 or 1 over independent items.

    Where all items agree, so do all resamples, and the bootstrap would claim certainty. With none
    of n items the share may still be up to 1 - a^(1/n), a half of what the confidence leaves out.

    Raises:
        ValueError: if the share is neither 0 nor 1.

    Source: Clopper and Pearson 1934, Biometrika 26(4).
    """
    if share not in (0.0, 1.0):
        raise ValueError(f"unanimous items have a share of 0 or 1, not {share}")
    if items < 2:
        return None, None
    from scipy import stats  # here, because it takes a second

    test = stats.binomtest(int(share) * items, items)
    low, high = test.proportion_ci(CONFIDENCE, method="exact")
    return float(low), float(high)


def per_group(
    counts: Float[np.ndarray, "item column"], groups: Groups | None
) -> Float[np.ndarray, "group column"]:
    """Return what each group of items adds to each sum; the items themselves without groups."""
    found = _together(groups)
    if found is None:
        return counts
    member, count = found
    sums = np.zeros((count, counts.shape[1]))
    np.add.at(sums, member, counts)
    return sums


def interval_of_drawn(
    statistic: Weighted,
    groups: Groups,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float | None, float | None]:
    """Return the percentile interval of a statistic of items that are drawn by their groups.

    Serves what is no function of sums, such as an area under a curve. Resamples in which it is not
    finite are left out; with none left, or fewer than two groups, both ends are None.
    """
    if len(np.unique(groups)) < 2:
        return None, None
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [statistic(some) for some in drawn_counts(groups, resamples=resamples, seed=seed)]
    drawn = np.concatenate(parts)
    return percentiles(drawn[np.isfinite(drawn)])


def drawn_counts(
    groups: Groups, *, resamples: int = 1000, seed: int = 0
) -> Iterator[Float[np.ndarray, "resample item"]]:
    """Yield how often resamples of the groups have each item, some resamples at a time."""
    _, member = np.unique(groups, return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    generator = np.random.default_rng(seed)
    for some in _some_at_a_time(resamples, len(groups)):
        yield _times_drawn(generator, count, some)[:, member]


def _together(groups: Groups | None) -> tuple[Int[np.ndarray, " item"], int] | None:
    """Return the number of each item's group and their count; None where none holds two items."""
    if groups is None:
        return None
    _, member = np.unique(groups, return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    return None if count == len(groups) else (member, count)


def resampled_sums(
    counts: Float[np.ndarray, "item column"],
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Float[np.ndarray, "resample column"]:
    """Return the column sums of each bootstrap resample; all columns share the resample's items.

    Raises:
        ValueError: if there is no item or a count is not finite.
    """
    _check(counts)
    counts = per_group(counts, groups)
    items = len(counts)
    if items == 0:
        raise ValueError("no items to resample")
    generator = np.random.default_rng(seed)
    sums = [
        _times_drawn(generator, items, some) @ counts for some in _some_at_a_time(resamples, items)
    ]
    return np.asarray(np.concatenate(sums), dtype=np.float64)


def _some_at_a_time(resamples: int, items: int) -> Iterator[int]:
    """Yield how many resamples are drawn at once, until all are; a bar says how far it is."""
    chunk = max(1, _DRAWS_AT_ONCE // items)
    starts = range(0, resamples, chunk)
    for start in progress(starts, total=len(starts), what=f"times {chunk} resamples"):
        yield min(chunk, resamples - start)


def _times_drawn(
    generator: np.random.Generator, items: int, resamples: int
) -> Float[np.ndarray, "resample item"]:
    """Return how often each resample has each item; drawing and counting beats a multinomial."""
    drawn = generator.integers(0, items, size=(resamples, items))
    drawn += items * np.arange(resamples)[:, None]
    counted = np.bincount(drawn.ravel(), minlength=resamples * items)
    return counted.reshape(resamples, items).astype(np.float64)


def percentiles(drawn: Float[np.ndarray, " resample"]) -> tuple[float | None, float | None]:
    """Return the ends that leave equal shares of the resamples outside; None if there are none."""
    if len(drawn) == 0:
        return None, None
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def _check(values: np.ndarray) -> None:
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise ValueError(f"{wrong} of {values.size} values to resample are not finite")
