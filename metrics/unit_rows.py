"""Embeddings at length 1, whose cosines are exact in float64."""

from collections.abc import Iterator
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from cinelex.core.errors import UserError

GRID = 2.0**26
ROWS_AT_ONCE = 1024
HELD_CELLS = 2**21
"""Of a side that is held in float64, once it has been asked for: 16 MiB."""


class UnitRows:
    """Rows at length 1, rounded in float64 to multiples of 2^-26.

    On that grid every product and partial sum of a cosine is a multiple of 2^-52 below 2, which
    float64 holds exactly: a score does not depend on chunk, device or order of summation, equal
    rows score exactly equally, and a cosine is off by less than 1e-7.

    Of many rows those are made that are asked for, so that what is held is the rows as they came.
    """

    def __init__(self, rows: Float[Tensor, "row dim"], *, what: str) -> None:
        """Take rows of any length above 0.

        Raises:
            UserError: if a row is not finite or has no direction; the first such rows are named.
        """
        broken = ~torch.isfinite(rows).all(dim=1)
        if broken.any():
            raise UserError(
                f"{what}: {some_rows(broken)} not finite; the model diverged: lower "
                "optimizer.learning_rate, or set precision=fp32"
            )
        if (zero := (rows == 0).all(dim=1)).any():
            raise UserError(f"{what}: {some_rows(zero)} zero and without a direction")
        # Metal has no float64
        self._rows = rows.detach().cpu() if rows.device.type == "mps" else rows.detach()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        """Return the dimensions of a row."""
        return self._rows.shape[1]

    @property
    def device(self) -> torch.device:
        """Return where the rows are."""
        return self._rows.device

    @cached_property
    def single(self) -> Float[Tensor, "row dim"]:
        """All rows, rounded to float32."""
        found = torch.empty_like(self._rows, dtype=torch.float32)
        for part, exact in zip(found.split(ROWS_AT_ONCE), self.parts(), strict=True):
            part.copy_(exact)
        return found

    @cached_property
    def exact(self) -> Float[Tensor, "row dim"]:
        """All rows, in float64; held from then on."""
        return torch.cat([_on_grid(some) for some in self._rows.split(ROWS_AT_ONCE)])

    def at(self, which: slice | Int[Tensor, " place"]) -> Float[Tensor, "place dim"]:
        """Return some rows, in float64."""
        return self.exact[which] if self._held else _on_grid(self._rows[which])

    def parts(self) -> Iterator[Float[Tensor, "some dim"]]:
        """Yield all rows in float64, some at a time."""
        for first in range(0, len(self), ROWS_AT_ONCE):
            yield self.at(slice(first, first + ROWS_AT_ONCE))

    @property
    def _held(self) -> bool:
        return "exact" in self.__dict__ or self._rows.numel() <= HELD_CELLS


def some_rows(wrong: Tensor) -> str:
    """Return how many rows are wrong, and which first, for a sentence."""
    rows = wrong.nonzero()[:, 0].tolist()
    return f"{len(rows)} of {len(wrong)} rows (first: {rows[:3]}) are"


def _on_grid(rows: Float[Tensor, "row dim"]) -> Float[Tensor, "row dim"]:
    rows = rows.double()
    rows = rows / rows.abs().amax(dim=1, keepdim=True)
    return rows.div_(_summed(rows.square()).sqrt_()).mul_(GRID).round_().div_(GRID)


def _summed(values: Float[Tensor, "row dim"]) -> Float[Tensor, "row 1"]:
    """Return the sum of each row, added in the same order on every device."""
    width = values.shape[1]
    values = F.pad(values, (0, (1 << (width - 1).bit_length()) - width))
    while values.shape[1] > 1:
        left, right = values.chunk(2, dim=1)
        values = left + right
    return values
