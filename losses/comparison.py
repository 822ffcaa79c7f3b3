"""All pairs of a global batch, as the losses that weigh negatives see them."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.contrastive import info_nce_from_logits, similarity_matrix
from cinelex.losses.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Every study of the global batch against every report; report i is study i's own."""

    similarity: Float[Tensor, "study study"]
    """Cosines, with gradient; float32 or better."""
    temperature: Float[Tensor, ""]
    """Divides the cosines; positive."""
    index: Int[Tensor, " study"]
    """Which training study each one is, from 0."""
    affinity: Float[Tensor, "study study"] | None = None
    """How alike studies i and j are, whatever the trained towers say; symmetric, no gradient.
    None where nobody knows."""

    @property
    def logits(self) -> Float[Tensor, "study study"]:
        """Return the cosines over the temperature."""
        return self.similarity / self.temperature.to(self.similarity.dtype)

    def known_affinity(self) -> Float[Tensor, "study study"]:
        """Return the affinity.

        Raises:
            ValueError: There is none, and a loss asks for it.
        """
        if self.affinity is None:
            raise ValueError("this loss weighs pairs by their affinity, and none was given")
        return self.affinity


class Scored(NamedTuple):
    """What a loss makes of a comparison."""

    loss: Float[Tensor, ""]
    """In nats unless the loss says otherwise."""
    log_weight: Float[Tensor, "study study"] | None
    """Logarithm of the weight of each pair where studies look for reports, 0 on the diagonal, no
    gradient; None where a loss has no weights."""


@runtime_checkable
class ComparisonLoss(Protocol):
    """A contrastive loss over a whole comparison."""

    def __call__(self, comparison: Comparison, *, progress: float) -> Scored:
        """Score it.

        Args:
            comparison: All pairs of the global batch.
            progress: Share of the run's steps that are done, in [0, 1].
        """


def compare(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "study dim"],
    *,
    temperature: Float[Tensor, ""],
    index: Int[Tensor, " study"],
) -> Comparison:
    """Return all pairs over all ranks, without an affinity; every rank gets the same.

    Args:
        study: Unit rows, one a study of this rank.
        report: Unit rows, in the order of ``study``.
        temperature: Divides the cosines; positive.
        index: Which training study each one is.
    """
    counts = row_counts(study)
    return Comparison(
        similarity=similarity_matrix(
            gather_rows(study, counts=counts), gather_rows(report, counts=counts)
        ),
        temperature=temperature,
        index=gather_rows(index, counts=counts),
    )


def cross_entropy(comparison: Comparison, *, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
    """Return plain symmetric InfoNCE, the one number in which all variants can be compared.

    Chance is ln(studies). Every other pair is a negative, duplicates too.

    Args:
        comparison: All pairs of the global batch.
        label_smoothing: Share of the target that is spread evenly over all reports.
    """
    own = diagonal(comparison.similarity)
    pairs = Pairs(positive=own, excluded=torch.zeros_like(own))
    return info_nce_from_logits(
        comparison.logits, pairs, form="out", label_smoothing=label_smoothing
    )


def diagonal(table: Float[Tensor, "study study"]) -> Bool[Tensor, "study study"]:
    """Return True where a study meets its own report."""
    return torch.eye(len(table), dtype=torch.bool, device=table.device)


def off_diagonal(table: Float[Tensor, "study study"]) -> Float[Tensor, "study others"]:
    """Return each row without its diagonal cell, in order."""
    size = len(table)
    # behind the first cell, every cell of the diagonal ends a line of size + 1; a mask would make
    # the processor wait for the device
    lines = table.flatten()[1:].view(max(0, size - 1), size + 1)
    return lines[:, :-1].reshape(size, max(0, size - 1))


def both_ways(table: Float[Tensor, "study study"]) -> list[Float[Tensor, "study study"]]:
    """Return a table as studies see it and as reports see it, the query along the rows."""
    return [table, table.T]
