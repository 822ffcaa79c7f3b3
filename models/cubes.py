"""Cut clips into cubes of pixels, one a token."""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.errors import UserError


def grid_of(*, frames: int, size: int, cube: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the number of cubes along frames, rows and columns.

    Raises:
        UserError: A side of the clip is no multiple of the cube's.
    """
    sides = (frames, size, size)
    if any(part < 1 or side % part for side, part in zip(sides, cube, strict=True)):
        raise UserError(
            f"cube {list(cube)} does not divide clips of {frames} frames, {size} rows and {size} "
            "columns; choose divisors"
        )
    return sides[0] // cube[0], sides[1] // cube[1], sides[2] // cube[2]


def cut_cubes(
    clips: Float[Tensor, "clip channel frame row column"], *, cube: tuple[int, int, int]
) -> Float[Tensor, "clip place pixel"]:
    """Return the pixels of each cube.

    Places run over t, y, x; the pixels of a cube over frame, row, column, channel.
    The target of masked modelling is cut with this same function.
    """
    frames, rows, columns = cube
    return rearrange(
        clips,
        "clip channel (t frames) (y rows) (x columns)"
        " -> clip (t y x) (frames rows columns channel)",
        frames=frames,
        rows=rows,
        columns=columns,
    )


def take_places(
    rows: Float[Tensor, "clip place width"], places: Int[Tensor, "clip taken"]
) -> Float[Tensor, "clip taken width"]:
    """Return, of each clip, the rows at its own places, in the order asked for."""
    clip = torch.arange(len(rows), device=rows.device).unsqueeze(1)
    return rows[clip, places]


def join_cubes(
    cubes: Float[Tensor, "clip place pixel"],
    *,
    cube: tuple[int, int, int],
    grid: tuple[int, int, int],
    channels: int,
) -> Float[Tensor, "clip channel frame row column"]:
    """Undo `cut_cubes`."""
    return rearrange(
        cubes,
        "clip (t y x) (frames rows columns channel)"
        " -> clip channel (t frames) (y rows) (x columns)",
        t=grid[0],
        y=grid[1],
        x=grid[2],
        frames=cube[0],
        rows=cube[1],
        columns=cube[2],
        channel=channels,
    )
