"""Embeddings of studies and of the reports they have."""

import torch
from torch import Tensor


def random_towers(
    studies: int = 60, reports: int = 25, dim: int = 8, signal: float = 1.0, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows of studies, rows of reports, and the report that each study has."""
    generator = torch.Generator().manual_seed(seed)
    report = torch.randn(reports, dim, generator=generator)
    own = torch.cat(
        [torch.arange(reports), torch.randint(reports, (studies - reports,), generator=generator)]
    )
    noise = torch.randn(studies, dim, generator=generator)
    return signal * report[own] + noise, report, own
