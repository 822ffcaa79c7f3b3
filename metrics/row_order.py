"""Whether rows lie under their own ids: what belongs together beside what a shuffle would show."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

MAX_PAIRS = 20_000
WORKERS = range(2, 65)
SEEDS = (0, 1, 42)
"""Seeds that a shuffle left on in a loader is likely to have."""
SIGNIFICANT = 6.0
"""Deviations of the null from which on an order is believed: p below 1e-9, of some 300 orders."""
SCREENED, PROMISING = 4_000, 1.0
"""Pairs that are looked at first, and deviations from which on all are."""
CLEARLY = 2.0
"""How many times the agreement of the given order another one must have."""


@dataclass(frozen=True)
class Link:
    """Pairs of rows that are more alike than others if each row lies under its own id."""

    name: str
    """What the two share."""
    first: Float[np.ndarray, "row dim"]
    """Centred; these are what may lie in another order."""
    left: Int[np.ndarray, " pair"]
    right: Int[np.ndarray, " pair"]
    """Rows of ``second`` where there is one, else of ``first``."""
    second: Float[np.ndarray, "row dim"] | None = None
    """Centred; what the rows are compared with, known to be in order."""

    @cached_property
    def null_variance(self) -> float:
        """Return the variance of the product of two rows that have nothing to do with each other.

        That of the rows themselves, so that no order changes it.
        """
        one = self.first.T @ self.first / len(self.first)
        other = one if self.second is None else self.second.T @ self.second / len(self.second)
        return float((one * other).sum())


@dataclass(frozen=True)
class Agreement:
    """How alike the pairs of a link are in one order of the rows."""

    mean: float
    """Mean inner product; 0 for rows in any unrelated order."""
    z: float
    """The same in standard deviations of that null."""


def agreement(
    link: Link, order: Int[np.ndarray, " row"] | None = None, *, pairs: int | None = None
) -> Agreement:
    """Return how alike the pairs of a link are.

    Null, in closed form: of m pairs of centred rows that are drawn anew the mean inner product is 0
    with variance tr(A B) / m, A and B being the covariances of both sides.

    Args:
        link: The pairs.
        order: The row that really belongs to each id; None where it is its own.
        pairs: How many of them are looked at; None is all.
    """
    left, right = link.left[:pairs], link.right[:pairs]
    if order is not None:
        left, right = order[left], right if link.second is not None else order[right]
    other = link.first if link.second is None else link.second
    mean = float(np.einsum("pd,pd->p", link.first[left], other[right]).mean(dtype=np.float64))
    deviation = np.sqrt(max(link.null_variance, 1e-300) / len(left))
    return Agreement(mean, mean / float(deviation))


def pairs_within(
    group: Int[np.ndarray, " row"],
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Return pairs of rows of one group, drawn, always alike; each row is in two of them at most.

    Args:
        group: Of each row; rows below 0 have none.
    """
    random = np.random.default_rng(0)
    order = np.lexsort((random.random(len(group)), group))
    one, other = order[:-1], order[1:]
    same = (group[one] == group[other]) & (group[one] >= 0)
    one, other = one[same], other[same]
    if len(one) > MAX_PAIRS:
        chosen = random.choice(len(one), MAX_PAIRS, replace=False)
        one, other = one[chosen], other[chosen]
    return one, other


def likely_orders(
    ids: Sequence[str], sorted_by: Mapping[str, Sequence[str] | np.ndarray]
) -> Iterator[tuple[str, Int[np.ndarray, " row"]]]:
    """Yield the orders in which rows lie where something went wrong, by what went wrong.

    Each is the row that really belongs to the id in each place. Sorted by name, by number, or as in
    another table; backwards; shifted; of several workers in turns or one after the other; shuffled.

    Args:
        ids: Under which the rows lie, in their order.
        sorted_by: Further keys that rows may have been sorted by.
    """
    rows = len(ids)
    own = np.arange(rows)
    keys = {"the ids as text": np.asarray(ids), "the numbers in the ids": _natural(ids)}
    for name, values in {**keys, **{k: np.asarray(v) for k, v in sorted_by.items()}}.items():
        yield f"sorted by {name}", _inverse(np.argsort(values, kind="stable"))
    yield "backwards", own[::-1]
    for shift in (-3, -2, -1, 1, 2, 3):
        yield f"shifted by {shift:+d}", (own + shift) % rows
    for workers in WORKERS:
        turns = np.argsort(own % workers, kind="stable")
        yield f"one after the other of {workers} workers that took turns", _inverse(turns)
        yield f"in turns of {workers} workers whose ids stand one after the other", turns
        shards = np.array_split(own, workers)
        if workers > 10:
            as_text = sorted(range(workers), key=str)
            joined = np.concatenate([shards[shard] for shard in as_text])
            yield f"{workers} shards sorted by name, 10 before 2", _inverse(joined)
    for seed in SEEDS:
        for kind, shuffled in _shuffles(rows, seed).items():
            yield f"shuffled by {kind} with seed {seed}", _inverse(shuffled)
            yield f"unshuffled by {kind} with seed {seed}", shuffled


def _shuffles(rows: int, seed: int) -> dict[str, Int[np.ndarray, " row"]]:
    import torch  # here, because few tables come this far

    generator = torch.Generator().manual_seed(seed)
    return {
        "torch.randperm": torch.randperm(rows, generator=generator).numpy(),
        "numpy's RandomState": np.random.RandomState(seed).permutation(rows),
        "numpy's default_rng": np.random.default_rng(seed).permutation(rows),
    }


def _natural(ids: Sequence[str]) -> np.ndarray:
    """Return a key that sorts ids by the first number in each, and those without as text."""
    found = [re.search(r"\d+", name) for name in ids]
    numbers = np.array([float(match[0]) if match else np.inf for match in found])
    return np.asarray(_inverse(np.lexsort((np.asarray(ids), numbers))))


def _inverse(order: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return inverse


@dataclass(frozen=True)
class Better:
    """An order in which the rows agree better than in that of their ids."""

    order: str
    link: str
    own: Agreement
    other: Agreement
    pairs: int
    tried: int
    """Orders."""


def better_orders(
    links: Mapping[str, Sequence[Link]],
    ids: Sequence[str],
    sorted_by: Mapping[str, Sequence[str] | np.ndarray],
) -> dict[str, Better]:
    """Return the likely order in which rows agree best, where clearly better than as given.

    Args:
        links: What belongs together, for each matrix by its name.
        ids: Under which the rows of all of them lie, in their order.
        sorted_by: Further keys that rows may have been sorted by.
    """
    given = {name: [agreement(link) for link in some] for name, some in links.items()}
    best: dict[str, Better] = {}
    tried = 0
    for order_name, order in likely_orders(ids, sorted_by):
        tried += 1
        for name, some in links.items():
            for link, own in zip(some, given[name], strict=True):
                if agreement(link, order, pairs=SCREENED).z < PROMISING:
                    continue
                found = agreement(link, order)
                clear = found.z > SIGNIFICANT and found.mean > CLEARLY * own.mean
                if clear and (name not in best or found.z > best[name].other.z):
                    best[name] = Better(order_name, link.name, own, found, len(link.left), 0)
    return {name: replace(one, tried=tried) for name, one in best.items()}
