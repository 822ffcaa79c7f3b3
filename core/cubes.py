"""Clips cut into cubes of pixels, one cube a token, in the one order that everybody uses.

A cube is (frames, rows, columns) pixels large and a grid is (frames, rows, columns) tokens large.
Tokens run through columns first, then rows, then frames.
"""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor


def cut_into_cubes(
    clips: Float[Tensor, "clip channel frame row column"], *, cube: tuple[int, int, int]
) -> Float[Tensor, "clip token pixel"]:
    """Return the pixels of every cube, in the unit of ``clips``.

    Args:
        clips: Whole clips.
        cube: Frames, rows and columns of one cube.

    Raises:
        ValueError: A side of the clip is no multiple of the cube's.
    """
    sides = tuple(clips.shape[2:])
    if any(side % part for side, part in zip(sides, cube, strict=True)):
        raise ValueError(f"clips of {sides} frames, rows, columns cannot be cut into cubes {cube}")
    frames, rows, columns = cube
    return rearrange(
        clips,
        "clip channel (t frames) (y rows) (x columns)"
        " -> clip (t y x) (frames rows columns channel)",
        frames=frames,
        rows=rows,
        columns=columns,
    )


def join_cubes(
    cubes: Float[Tensor, "clip token pixel"],
    *,
    cube: tuple[int, int, int],
    grid: tuple[int, int, int],
) -> Float[Tensor, "clip channel frame row column"]:
    """Put the cubes of `cut_into_cubes` back together.

    Args:
        cubes: All tokens of every clip, in order.
        cube: Frames, rows and columns of one cube.
        grid: Frames, rows and columns of tokens in a clip.
    """
    frames, rows, columns = cube
    t, y, x = grid
    return rearrange(
        cubes,
        "clip (t y x) (frames rows columns channel)"
        " -> clip channel (t frames) (y rows) (x columns)",
        frames=frames,
        rows=rows,
        columns=columns,
        t=t,
        y=y,
        x=x,
    )


def take_tokens(
    tokens: Float[Tensor, "clip token width"], which: Int[Tensor, "clip taken"]
) -> Float[Tensor, "clip taken width"]:
    """Return, for each clip, the tokens at the places ``which``, in that order."""
    return tokens.gather(1, which[:, :, None].expand(-1, -1, tokens.shape[2]))
