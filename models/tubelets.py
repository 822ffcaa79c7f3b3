"""Cut clips into tubelets of pixels, one a token."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.models.shapes import Clips, ClipTokens


def grid_of(*, frames: int, size: int, tubelet: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the number of tubelets along frames, rows and columns.

    Raises:
        UserError: A side of the clip is no multiple of the tubelet's.
    """
    sides = (frames, size, size)
    if any(part < 1 or side % part for side, part in zip(sides, tubelet, strict=True)):
        raise UserError(
            f"tubelet {list(tubelet)} does not divide clips of {frames} frames, {size} rows and "
            f"{size} columns; choose divisors"
        )
    return sides[0] // tubelet[0], sides[1] // tubelet[1], sides[2] // tubelet[2]


def cut_tubelets(
    clips: Clips, *, tubelet: tuple[int, int, int]
) -> Float[Tensor, "clip token pixel"]:
    """Return the pixels of each tubelet.

    Tokens run over t, y, x; the pixels of a tubelet over frame, row, column, channel.
    The target of masked modelling is cut with this same function.
    """
    frames, rows, columns = tubelet
    return rearrange(
        clips,
        "clip channel (t frames) (y rows) (x columns)"
        " -> clip (t y x) (frames rows columns channel)",
        frames=frames,
        rows=rows,
        columns=columns,
    )


def take_positions(
    rows: ClipTokens, indices: Int[Tensor, "clip taken"]
) -> Float[Tensor, "clip taken width"]:
    """Return, of each clip, the rows at its own indices, in the order asked for."""
    clip = torch.arange(len(rows), device=rows.device).unsqueeze(1)
    return rows[clip, indices]


def visible_of(keep: Int[Tensor, "clip visible"], *, tokens: int) -> Bool[Tensor, "clip token"]:
    """Return which of the tokens of each clip are kept."""
    visible = torch.zeros(len(keep), tokens, dtype=torch.bool, device=keep.device)
    return visible.scatter(1, keep, True)


def join_tubelets(
    tubelets: Float[Tensor, "clip token pixel"],
    *,
    tubelet: tuple[int, int, int],
    grid: tuple[int, int, int],
    channels: int,
) -> Clips:
    """Undo `cut_tubelets`."""
    return rearrange(
        tubelets,
        "clip (t y x) (frames rows columns channel)"
        " -> clip channel (t frames) (y rows) (x columns)",
        t=grid[0],
        y=grid[1],
        x=grid[2],
        frames=tubelet[0],
        rows=tubelet[1],
        columns=tubelet[2],
        channel=channels,
    )
