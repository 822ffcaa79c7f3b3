"""Reports in groups of like length, so that little is computed on padding."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Buckets = Sequence[tuple[int, int]]
"""Of each group of reports, one after the other: how many, and the tokens of the longest."""


def rows_of(buckets: Buckets) -> Iterator[tuple[slice, int]]:
    """Yield the rows of each group, and the tokens of its longest report."""
    start = 0
    for reports, tokens in buckets:
        yield slice(start, start + reports), tokens
        start += reports


def stacked(parts: Sequence[Tensor], *, tokens: int) -> Tensor:
    """Stack the groups' rows of tokens, each filled up with zeros to so many tokens."""
    widened = [
        F.pad(part, [0, 0] * (part.ndim - 2) + [0, tokens - part.shape[1]]) for part in parts
    ]
    return torch.cat(widened)
