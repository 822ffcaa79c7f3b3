"""Where a token stands: one vector for each position of a grid of frames, rows and columns."""

from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

PositionKind = Literal["sincos", "learned"]


class GridPositions(nn.Module):
    """Add up a vector for the frame, one for the row and one for the column.

    ``learned`` starts from small random vectors. ``sincos`` is fixed: a third of the width holds
    sines and cosines of each axis.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5; factorised over three axes as in
    Feichtenhofer et al. 2022, arXiv:2205.09113, section 3.
    """

    axes: list[Tensor]

    def __init__(
        self, *, width: int, grid: tuple[int, int, int], kind: PositionKind = "sincos"
    ) -> None:
        """Make the vectors.

        Args:
            width: Embedding dimension of a position.
            grid: Positions along frames, rows and columns.
            kind: Fixed waves, or vectors that are learned.
        """
        super().__init__()
        for axis, (name, tensor) in enumerate(
            zip(("time", "row", "column"), _waves(width, grid), strict=True)
        ):
            if kind == "learned":
                noise = nn.init.trunc_normal_(torch.empty(grid[axis], width), std=0.02)
                self.register_parameter(name, nn.Parameter(noise))
            else:
                self.register_buffer(name, tensor, persistent=False)

    def forward(self) -> Float[Tensor, "position width"]:
        """Return one vector a position, in the order t·y·x."""
        time, row, column = (self.get_axis(name) for name in ("time", "row", "column"))
        sums = time[:, None, None] + row[:, None] + column
        return rearrange(sums, "t y x width -> (t y x) width")

    def get_axis(self, name: str) -> Float[Tensor, "step width"]:
        """Return the vectors of one axis: time, row or column."""
        axis = getattr(self, name)
        assert isinstance(axis, Tensor)
        return axis


def _waves(width: int, grid: tuple[int, int, int]) -> list[Tensor]:
    """Return, for each axis, its waves in its own third of the width and 0 elsewhere."""
    pairs = [len(range(axis, width // 2, 3)) for axis in range(3)]
    axes, start = [], 0
    for steps, count in zip(grid, pairs, strict=True):
        frequency = 10_000 ** (-torch.arange(count) / max(count, 1))
        angle = torch.arange(steps)[:, None] * frequency
        axis = torch.zeros(steps, width)
        axis[:, start : start + 2 * count] = torch.cat([angle.sin(), angle.cos()], dim=1)
        axes.append(axis)
        start += 2 * count
    return axes


def positions_at(
    positions: Float[Tensor, "position width"], indices: Int[Tensor, "clip taken"]
) -> Float[Tensor, "clip taken width"]:
    """Return the vectors at indices that clips share.

    Indexing would add up their gradients in whatever order the threads of a CPU come.
    """
    return F.embedding(indices, positions)
