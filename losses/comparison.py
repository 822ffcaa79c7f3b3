"""All pairs of a global batch, as the losses that weigh negatives see them."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses import contrastive
from cinelex.losses.affinity import Affinity
from cinelex.losses.contrastive import (
    EveryPair,
    info_nce_from_logits,
    info_nce_in_tiles,
    similarity_matrix,
)
from cinelex.losses.large_comparison import LargeComparison, TiledTable
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


AnyComparison = Comparison | LargeComparison
"""As a table, or of more studies than one would hold."""


class Scored(NamedTuple):
    """What a loss makes of a comparison."""

    loss: Float[Tensor, ""]
    """In nats unless the loss says otherwise."""
    log_weight: Float[Tensor, "study study"] | TiledTable | None
    """Logarithm of the weight of each pair where studies look for reports, 0 on the diagonal, no
    gradient; None where a loss has no weights."""


@runtime_checkable
class ComparisonLoss(Protocol):
    """A contrastive loss over a whole comparison."""

    def __call__(self, comparison: AnyComparison, *, progress: float) -> Scored:
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
    affinity: Affinity | None = None,
) -> AnyComparison:
    """Return all pairs over all ranks; every rank gets the same, of many studies its part.

    Args:
        study: Unit rows, one a study of this rank.
        report: Unit rows, in the order of ``study``.
        temperature: Divides the cosines; positive.
        index: Which training study each one is.
        affinity: How alike the studies of all ranks are; None where nobody knows.
    """
    counts = row_counts(study)
    every = torch.arange(sum(counts), device=study.device)
    indices = gather_rows(index, counts=counts)
    precision = torch.promote_types(study.dtype, torch.float32)
    if len(every) > contrastive.HELD_WHOLE:
        compared = EveryPair(
            study=study.to(precision),
            report=gather_rows(report.to(precision), counts=counts),
            report_group=every,
            patient_group=every,
            counts=counts,
        )
        return LargeComparison(
            compared=compared, temperature=temperature, index=indices, affinity=affinity
        )
    return Comparison(
        similarity=similarity_matrix(
            gather_rows(study, counts=counts), gather_rows(report, counts=counts)
        ),
        temperature=temperature,
        index=indices,
        affinity=None if affinity is None else affinity.rows(slice(None)),
    )


def cross_entropy(comparison: AnyComparison, *, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
    """Return plain symmetric InfoNCE, the one number in which all variants can be compared.

    Chance is ln(studies). Every other pair is a negative, duplicates too.

    Args:
        comparison: All pairs of the global batch.
        label_smoothing: Share of the target that is spread evenly over all reports.
    """
    if isinstance(comparison, LargeComparison):
        return info_nce_in_tiles(
            comparison.compared, comparison.scale, label_smoothing=label_smoothing
        )
    own = diagonal(comparison.similarity)
    pairs = Pairs(positive=own, excluded=torch.zeros_like(own))
    return info_nce_from_logits(
        comparison.logits, pairs, form="out", label_smoothing=label_smoothing
    )


def diagonal(table: Float[Tensor, "study study"]) -> Bool[Tensor, "study study"]:
    """Return True where a study meets its own report."""
    return torch.eye(len(table), dtype=torch.bool, device=table.device)


def off_diagonal(
    table: Float[Tensor, "rows study"], first: int = 0
) -> Float[Tensor, "rows others"]:
    """Return each row without the cell of its own pair; of a whole table, in order.

    Args:
        table: Some rows of a table of all pairs.
        first: The place of the first among all rows.
    """
    rows, size = table.shape
    if rows < size:  # each row from behind its own cell, and around
        behind = torch.arange(rows, device=table.device)[:, None] + first + 1
        return table.gather(1, (behind + torch.arange(size - 1, device=table.device)) % size)
    # behind the first cell, every cell of the diagonal ends a line of size + 1; a mask would make
    # the processor wait for the device
    lines = table.flatten()[1:].view(max(0, size - 1), size + 1)
    return lines[:, :-1].reshape(size, max(0, size - 1))


def both_ways(table: Float[Tensor, "study study"]) -> list[Float[Tensor, "study study"]]:
    """Return a table as studies see it and as reports see it, the query along the rows."""
    return [table, table.T]
