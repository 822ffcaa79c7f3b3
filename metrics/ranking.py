"""Where each query's own items stand in the ranking of the whole gallery, exactly."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.metrics.counting import OwnPairs, counts_at_or_above
from cinelex.metrics.unit_rows import ROWS_AT_ONCE, UnitRows, some_rows


@dataclass(frozen=True)
class Ranking:
    """The ranks, from 1, of all positives of all queries of one search direction."""

    gallery: int
    """Items that were ranked for every query."""
    query: Int[np.ndarray, " positive"]
    """The query of each positive, ascending."""
    rank: Int[np.ndarray, " positive"]
    """The rank of each positive, from 1, ascending within a query."""

    @property
    def queries(self) -> int:
        """Return the number of queries."""
        return int(self.query[-1]) + 1

    @property
    def positives(self) -> Int[np.ndarray, " query"]:
        """Return how many positives each query has."""
        return np.bincount(self.query, minlength=self.queries)

    @property
    def order(self) -> Int[np.ndarray, " positive"]:
        """Return the number of each positive among those of its query, from 1."""
        count = self.positives
        return np.arange(len(self.query)) - np.repeat(np.cumsum(count) - count, count) + 1

    @property
    def best(self) -> Int[np.ndarray, " query"]:
        """Return the rank of each query's first positive, from 1."""
        return self.rank[np.flatnonzero(np.diff(self.query, prepend=-1))]

    def mean_per_query(self, values: Float[np.ndarray, " positive"]) -> Float[np.ndarray, " query"]:
        """Return the mean of a value over the positives of each query."""
        sums = np.bincount(self.query, weights=values, minlength=self.queries)
        return np.asarray(sums / self.positives)


def is_certain(ranking: Ranking) -> bool:
    """Return whether each query owns the whole gallery, so that any order is right."""
    return bool((ranking.positives == ranking.gallery).all())


def rank_each_other(
    query: UnitRows,
    gallery: UnitRows,
    *,
    query_group: Int[Tensor, " query"],
    item_group: Int[Tensor, " item"],
) -> tuple[Ranking, Ranking]:
    """Rank the gallery for every query and all queries for every item, the own group's ranks kept.

    A tie counts against the one that searches: what is of another group and scores as high as a
    positive stands before it. A model that scores everything alike ranks last, not first. Memory is
    the rows and a tile of scores, see `counting`.

    Args:
        query: what searches.
        gallery: what is searched.
        query_group: the group of each query.
        item_group: the group of each item; queries and items of one group are positives.

    Raises:
        ValueError: if a query or an item has no positive.
    """
    owner, item = (part.to(query.device) for part in _pairs(query_group, item_group))
    own = cosines_of(query, gallery, owner, item)
    counts = counts_at_or_above(query, gallery, OwnPairs(query=owner, item=item, score=own))
    scores = own.cpu().numpy()
    return (
        _places(owner.cpu().numpy(), scores, counts[0].cpu().numpy(), gallery=len(gallery)),
        _places(item.cpu().numpy(), scores, counts[1].cpu().numpy(), gallery=len(query)),
    )


def cosines_of(
    query: UnitRows, gallery: UnitRows, owner: Int[Tensor, " pair"], item: Int[Tensor, " pair"]
) -> Float[Tensor, " pair"]:
    """Return the cosine of each pair of a query and an item, in float64, exact."""
    parts = zip(owner.split(ROWS_AT_ONCE), item.split(ROWS_AT_ONCE), strict=True)
    return torch.cat([(query.at(some) * gallery.at(others)).sum(1) for some, others in parts])


def nearest(
    study: Float[Tensor, "query dim"],
    report: Float[Tensor, "item dim"],
    *,
    count: int = 5,
    chunk: int = 1024,
) -> tuple[Float[np.ndarray, "query rank"], Int[np.ndarray, "query rank"]]:
    """Return the cosines and the numbers of the gallery items nearest to each query, best first.

    At most ``count`` of them; among equal scores the item with the lower number comes first.

    Raises:
        ValueError: if a row is not finite or has no direction.
    """
    queries, gallery = UnitRows(study, what="query"), UnitRows(report, what="gallery")
    cosines, items = [], []
    for start in range(0, len(queries), chunk):
        scores = queries.at(slice(start, start + chunk)) @ gallery.exact.T
        best, order = scores.sort(dim=1, descending=True, stable=True)
        cosines.append(best[:, :count].cpu())
        items.append(order[:, :count].cpu())
    return torch.cat(cosines).numpy(), torch.cat(items).numpy()


def _pairs(query_group: Tensor, item_group: Tensor) -> tuple[Tensor, Tensor]:
    """Return query and item of every positive pair, ordered by query."""
    groups, item_order = torch.sort(item_group.cpu(), stable=True)
    wanted = query_group.cpu().contiguous()
    first = torch.searchsorted(groups, wanted)
    count = torch.searchsorted(groups, wanted, right=True) - first
    if (count == 0).any():
        raise ValueError(f"query: {some_rows(count == 0)} without a positive in the gallery")
    lonely = ~torch.isin(item_group.cpu(), wanted)
    if lonely.any():
        raise ValueError(f"gallery: {some_rows(lonely)} without a positive among the queries")
    owner = torch.arange(len(wanted)).repeat_interleave(count)
    within = torch.arange(len(owner)) - (count.cumsum(0) - count)[owner]
    return owner, item_order[first[owner] + within]


def _places(
    owner: np.ndarray, own: np.ndarray, at_or_above: np.ndarray, *, gallery: int
) -> Ranking:
    """Turn counts of items at or above each positive into ranks, ties against the query.

    The k-th best positive of a query stands behind the k - 1 better ones and all negatives that
    score at least as high.
    """
    order = np.lexsort((-own, owner))
    owner, own, at_or_above = owner[order], own[order], at_or_above[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    ends = np.append(starts[1:], len(owner))
    number = np.arange(len(owner)) - np.repeat(starts, ends - starts)
    new_run = (np.diff(owner, prepend=-1) != 0) | (np.diff(own, prepend=np.inf) != 0)
    run = np.cumsum(new_run) - 1
    last_of_run = np.append(np.flatnonzero(new_run)[1:], len(owner)) - 1
    positives_at_or_above = number[last_of_run][run] + 1
    return Ranking(gallery, owner, number + 1 + at_or_above - positives_at_or_above)
