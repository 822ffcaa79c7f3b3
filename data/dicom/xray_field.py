"""The open field of an X-ray picture, between its shutters, and text that is burned into it."""

import math
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from PIL import Image, ImageDraw
from scipy import ndimage

from cinelex.data.dicom.beam import Beam, overlap, robust_box
from cinelex.data.dicom.motion import Gray, Mask, largest_piece
from cinelex.data.dicom.shapes import Box, Shutter

MIN_OPEN: Final = 0.05
"""Share of a picture that a field has at least; shutters that leave less are a mistake."""
WHOLE: Final = 0.98
"""Share of a picture from which on all of it is the field."""
EDGE: Final = 0.15
"""Where a field begins, between the level of the closed border and its own."""
DARK: Final = 0.3
"""Level of a closed border, as a share of the field's; what is brighter is anatomy."""
OUTSTANDING: Final = 25
"""Gray levels by which letters stand out from what is around them, in every frame."""
BELOW_WHITE: Final = 20
"""Gray levels that letters lie below the brightest pixel, at most, where they do not stand still:
a lossy code smears noise into them."""
STILL: Final = 2
"""Gray levels by which letters move at most where nothing was lost; they show in noise by that."""
WHITE: Final = 180
STROKE: Final = 7
"""Pixels that the broadest stroke of a letter has, at most."""
MIN_LETTERS: Final = 2
LETTER_ROWS: Final = 5
"""Pixels of the lowest letter that can be read."""
Labels = Int[np.ndarray, "row column"]


def stated_field(shutters: tuple[Shutter, ...], shape: tuple[int, int]) -> Mask | None:
    """Return what lies inside all shutters of the header, or None where they make no sense."""
    if not shutters:
        return None
    opened = np.ones(shape, bool)
    for shutter in shutters:
        opened &= _inside(shutter, shape)
    return opened if opened.mean() >= MIN_OPEN else None


def _inside(shutter: Shutter, shape: tuple[int, int]) -> Mask:
    kind, numbers = shutter
    if kind == "rectangle":
        top, left, bottom, right = numbers
        return Beam((top, left, bottom, right)).mask(shape)
    if kind == "circle":
        row, column, radius = numbers
        return _disc(row + 0.5, column + 0.5, float(radius), shape)
    image = Image.new("1", (shape[1], shape[0]))
    corners = [(column, row) for row, column in list(pairwise(numbers))[::2]]
    ImageDraw.Draw(image).polygon(corners, fill=1)
    return np.asarray(image, bool)


def _disc(row: float, column: float, radius: float, shape: tuple[int, int]) -> Mask:
    y, x = np.arange(shape[0])[:, None] + 0.5 - row, np.arange(shape[1])[None, :] + 0.5 - column
    return y * y + x * x <= radius * radius


def seen_field(gray: Gray) -> tuple[Mask, float]:
    """Return the field that is brighter than a dark border, and how well it is one shape.

    A rectangle or a disc where one overlaps well; else what is bright, as it is. Where no dark
    border is, all is field.
    """
    mean = gray.mean(0, dtype=np.float32)
    bright = _not_border(mean)
    if bright is None:
        return np.ones(mean.shape, bool), 1.0
    # letters beside the field are bright too, and thin
    piece = largest_piece(ndimage.binary_opening(bright, np.ones((STROKE, STROKE), bool)))
    if not piece.mean() >= MIN_OPEN:
        return np.ones(mean.shape, bool), 0.0
    shape = (mean.shape[0], mean.shape[1])
    rows, columns = np.nonzero(piece)
    disc = _disc(
        float(rows.mean()) + 0.5, float(columns.mean()) + 0.5, math.sqrt(len(rows) / math.pi), shape
    )
    candidates = [Beam(robust_box(piece)).mask(shape), disc]
    best = max(candidates, key=lambda mask: overlap(mask, piece))
    fit = overlap(best, piece)
    return (best, fit) if fit >= 1 - MIN_OPEN else (piece, fit)


def _not_border(mean: Float[np.ndarray, "row column"]) -> Mask | None:
    """Return what is brighter than the border of a picture; None where the border is not dark."""
    frame = np.concatenate([mean[0], mean[-1], mean[:, 0], mean[:, -1]])
    border = float(np.percentile(frame, 20))
    inner = mean[mean.shape[0] // 4 : -mean.shape[0] // 4, mean.shape[1] // 4 : -mean.shape[1] // 4]
    level = float(np.median(inner))
    if border > DARK * level:
        return None
    labels, _ = ndimage.label(mean <= border + EDGE * (level - border))
    at_edges = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    closed = np.isin(labels, at_edges[at_edges > 0])
    return ~closed if 1 - closed.mean() < WHOLE else None


def standing_text(gray: Gray, field: Mask) -> list[Box]:
    """Return boxes around what looks like lines of text: thin, white in every frame, in a row.

    Those that a field holds some of; a line may begin outside it.
    """
    lowest = gray.min(0)
    wander = gray.max(0) - lowest
    noise = float(np.median(wander[field])) if field.any() else 0.0
    contrast = lowest - ndimage.grey_opening(lowest, size=(STROKE, STROKE))
    brightest = lowest.astype(np.int16) >= int(gray.max()) - BELOW_WHITE
    loud = (contrast >= OUTSTANDING) & (wander <= noise / 2) & brightest
    faint = (contrast >= STILL) & (wander <= STILL) & (noise > 4 * STILL)
    still = (lowest >= WHITE) & (wander <= max(STILL, noise / 4)) & field
    thin = (lowest >= WHITE) & (loud | faint)
    reach = 2 * max(5, gray.shape[1] // 100) + 1
    lines, _ = ndimage.label(ndimage.binary_dilation(thin, np.ones((3, reach), bool)))
    letters, _ = ndimage.label(thin, np.ones((3, 3), bool))
    boxes = []
    for number, place in enumerate(ndimage.find_objects(lines), start=1):
        written = letters[place] * (lines[place] == number)
        inside = (written > 0) & field[place]
        if inside.any() and _are_letters(written):
            box = _box_around(inside, place[0].start, place[1].start)
            boxes.append(_with_pale_letters(box, still, reach))
    return boxes


def _with_pale_letters(box: Box, still: Mask, reach: int) -> Box:
    """Return a box drawn on, along its lines, over what is white and still without standing out.

    Where anatomy is white as well, letters of the same line cannot be told from it.
    """
    top, left, bottom, right = box
    band = np.asarray(still[top:bottom].any(0))
    band[left:right] = True
    runs, _ = ndimage.label(ndimage.binary_dilation(band, np.ones(reach, bool)))
    line = np.flatnonzero(band & (runs == runs[left]))
    left, right = int(line[0]), int(line[-1]) + 1
    near = still[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1]
    if not near.any():
        return top, left, bottom, right
    around = _box_around(near, max(0, top - 1), max(0, left - 1))
    return (
        min(top, around[0]),
        min(left, around[1]),
        max(bottom, around[2]),
        max(right, around[3]),
    )


def _are_letters(written: Labels) -> bool:
    """Return whether pieces are several, and most of what they cover as high as a letter.

    Bright noise makes pieces too, but low ones.
    """
    pieces = [
        (piece, place) for piece, place in enumerate(ndimage.find_objects(written), 1) if place
    ]
    if len(pieces) < MIN_LETTERS:
        return False
    sizes = np.bincount(written.ravel())
    high = sum(
        int(sizes[piece]) for piece, (rows, _) in pieces if rows.stop - rows.start >= LETTER_ROWS
    )
    return 2 * high >= int(sizes[1:].sum())


def _box_around(mask: Mask, top: int, left: int) -> Box:
    """Return the box of a mask, and a pixel around it, where the mask's corner stands."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    first, last = top + int(rows[0]), top + int(rows[-1])
    leftmost, rightmost = left + int(columns[0]), left + int(columns[-1])
    return max(0, first - 1), max(0, leftmost - 1), last + 2, rightmost + 2
