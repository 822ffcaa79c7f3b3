"""Orders of an epoch in which batches share a topic, spread over all, or balance classes.

An order is a function from the epoch's shuffled studies to what is cut into batches; every study
stands in it at most once, so batches share nothing, over ranks and over steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from cinelex.core.errors import UserError

Places = Int64[np.ndarray, " place"]
Kept = Int64[np.ndarray, " kept"]
Arrange = Callable[[Places, np.random.Generator], Kept]
"""From the epoch's shuffled studies and a generator keyed by the epoch to the epoch's order."""


@dataclass(frozen=True)
class Topical:
    """Batches of one topic as far as it reaches: hard negatives, and more false ones."""

    groups: Int64[np.ndarray, " study"]
    """The topic of every study."""
    batch: int
    """Studies in the global batch."""

    def __call__(self, order: Places, random: np.random.Generator) -> Kept:
        """Lay topic after topic, in drawn order, then shuffle the batches."""
        rank = random.permutation(int(self.groups.max()) + 1)
        sorted_ = order[np.argsort(rank[self.groups[order]], kind="stable")]
        whole = sorted_[: len(sorted_) // self.batch * self.batch].reshape(-1, self.batch)
        return np.asarray(random.permutation(whole).reshape(-1))


@dataclass(frozen=True)
class Stratified:
    """Batches in which every topic has its share, as far as whole studies allow."""

    groups: Int64[np.ndarray, " study"]
    """The topic of every study."""
    batch: int
    """Studies in the global batch."""

    def __call__(self, order: Places, random: np.random.Generator) -> Kept:
        """Deal the studies, topic after topic, to the batches in turn."""
        sorted_ = order[np.argsort(self.groups[order], kind="stable")]
        steps = len(sorted_) // self.batch
        dealt = sorted_[: steps * self.batch].reshape(self.batch, steps).T
        return np.asarray(random.permutation(dealt).reshape(-1))


@dataclass(frozen=True)
class ClassBalanced:
    """Batches in which every class has as many studies as any other, give or take one.

    A class larger than the smallest is drawn from: each epoch shows another part of it.
    """

    groups: Int64[np.ndarray, " study"]
    """The class of every study."""
    batch: int
    """Studies in the global batch."""

    def __post_init__(self) -> None:
        """Refuse classes too small for one batch.

        Raises:
            UserError: Not even one batch can be balanced.
        """
        if self.steps() == 0:
            counts = np.bincount(self.groups)
            raise UserError(
                f"class-balanced batches of {self.batch} need {self._quota()} studies of each of "
                f"{len(counts)} classes, and the smallest has {counts.min()}; use another sampler, "
                "or merge rare classes"
            )

    def steps(self) -> int:
        """Return how many batches an epoch has."""
        return int(np.bincount(self.groups).min()) // self._quota()

    def _quota(self) -> int:
        return -(-self.batch // int(self.groups.max() + 1))

    def __call__(self, order: Places, random: np.random.Generator) -> Kept:
        """Give each batch its quota of each class; which classes give one less is drawn."""
        steps, quota = self.steps(), self._quota()
        classes = int(self.groups.max()) + 1
        members = [order[self.groups[order] == name][: steps * quota] for name in range(classes)]
        table = np.stack([part.reshape(steps, quota) for part in members], axis=2)
        turned = np.take_along_axis(
            table, random.permuted(np.tile(np.arange(classes), (steps, 1)), axis=1)[:, None], 2
        )
        return np.asarray(turned.reshape(steps, quota * classes)[:, : self.batch].reshape(-1))
