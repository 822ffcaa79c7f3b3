"""Comparisons of random towers, for the tests of the losses that weigh negatives."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses.affinity import mixed_affinity
from cinelex.losses.comparison import Comparison, compare


def unit_rows(rows: int, seed: int, dim: int = 6) -> Tensor:
    """Return random directions, float64."""
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, dim, generator=random, dtype=torch.float64), dim=1)


def towers(rows: int = 8) -> tuple[Tensor, Tensor]:
    """Return studies and reports that can be trained."""
    return unit_rows(rows, 0).requires_grad_(), unit_rows(rows, 1).requires_grad_()


def comparison_of(
    study: Tensor, report: Tensor, *, temperature: float = 0.1, affinity: Tensor | None = None
) -> Comparison:
    """Compare towers; without an affinity, a frozen random teacher says who is alike."""
    found = compare(
        study,
        report,
        temperature=torch.tensor(temperature, dtype=study.dtype),
        index=torch.arange(len(study)),
    )
    assert isinstance(found, Comparison)
    if affinity is None:
        teacher = unit_rows(len(study), 2)
        affinity = mixed_affinity(unit_rows(len(study), 3), teacher, alpha=0.6).rows(slice(None))
    return Comparison(
        similarity=found.similarity,
        temperature=found.temperature,
        index=found.index,
        affinity=affinity.to(found.similarity.dtype),
    )
