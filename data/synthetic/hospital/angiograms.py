"""X-ray cines as a hospital stores them: 8 or 12 bits, shutters, text, bright or dark polarity."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt

from cinelex.data.synthetic.cines.cine import CinePlan, add_noise, render_cine
from cinelex.data.synthetic.hospital.burned import Board
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.shown import Shown, box_of
from cinelex.data.synthetic.hospital.visits import Visit

TEXT_HEIGHT = 8
OPEN_RATE = 0.2
"""Share of the cines without shutters, whose field is the whole picture."""
TOLD_RATE = 0.5
"""Share of the cines with shutters whose header says where they are."""
WINDOW_RATE = 0.7
"""Share of the cines whose header says which values to show."""


@dataclass(frozen=True)
class _Field:
    """The open part of a picture."""

    top: int
    left: int
    rows: int
    columns: int
    """Of the whole picture."""
    opened: Bool[np.ndarray, "row column"]


def film(
    visit: Visit, cine: CinePlan, settings: HospitalSettings, draw: np.random.Generator, *,
    bits: int,
) -> Shown:  # fmt: skip
    """Return one cine of the plan, with what surrounds it on a machine that counts in `bits`."""
    size, top_level = settings.studies.size, 2**bits - 1
    clean = render_cine(cine, settings.studies)
    pixels = add_noise(clean, cine, settings.studies, levels=top_level + 1)
    circle = bool(draw.random() < settings.circle_rate)
    field = _draw_field(size, draw, circle=circle)
    picture = _shut(len(pixels), field, top_level, pixels.dtype, draw)
    inside = picture[:, field.top : field.top + size, field.left : field.left + size]
    hole = field.opened[field.top : field.top + size, field.left : field.left + size]
    inside[:, hole] = pixels[:, hole]
    board = Board(field.rows, field.columns, text_height=TEXT_HEIGHT)
    _annotate(board, visit, field, size, inside=draw.random() < settings.text_in_picture_rate)
    picture[:, board.outline] = 0
    picture[:, board.covered] = top_level
    mask = field.opened.copy()
    for top, left, bottom, right in board.text_boxes:
        mask[top:bottom, left:right] = False
    dark_is_high = draw.random() < settings.monochrome1_rate
    told = not field.opened.all() and draw.random() < TOLD_RATE
    return Shown(
        stored=top_level - picture if dark_is_high else picture,
        display=np.rint(picture * (255 / top_level)).astype(np.uint8),
        photometric="MONOCHROME1" if dark_is_high else "MONOCHROME2",
        bits=bits,
        mask=mask,
        letters=board.covered,
        text_boxes=board.text_boxes,
        texts=board.texts,
        shutter=box_of(field.opened) if told else None,
        round_shutter=circle,
        window=((top_level + 1) / 2, top_level + 1.0) if draw.random() < WINDOW_RATE else None,
    )


def _draw_field(size: int, draw: np.random.Generator, *, circle: bool) -> _Field:
    """Draw where the shutters are; without any, the field is the whole picture."""
    margins = draw.integers(round(0.06 * size), round(0.19 * size), size=4, endpoint=True)
    if draw.random() < OPEN_RATE and not circle:
        margins[:] = 0
    top, bottom, left, right = (int(margin) for margin in margins)
    rows, columns = size + top + bottom, size + left + right
    opened = np.zeros((rows, columns), dtype=bool)
    opened[top : top + size, left : left + size] = True
    if circle:
        y = np.arange(rows)[:, None] + 0.5 - top - size / 2
        x = np.arange(columns)[None, :] + 0.5 - left - size / 2
        opened &= x * x + y * y <= (size / 2) ** 2
    return _Field(top, left, rows, columns, opened)


def _shut(
    frames: int, field: _Field, top_level: int, kind: "np.dtype[np.generic]",
    draw: np.random.Generator,
) -> UInt[np.ndarray, "frame row column"]:  # fmt: skip
    """Return what is seen behind closed shutters: nothing, or a little scattered radiation."""
    shape = (frames, field.rows, field.columns)
    if draw.random() < 0.5:
        return np.zeros(shape, dtype=kind)
    scatter = 0.015 + 0.004 * draw.standard_normal(shape, dtype=np.float32)
    return np.clip(top_level * scatter + 0.5, 0, top_level).astype(kind)


def _annotate(board: Board, visit: Visit, field: _Field, size: int, *, inside: bool) -> None:
    """Burn in who and when, where the shutters leave room, and in the field if it is wanted."""
    name, day = visit.patient.name.screen, visit.when.strftime("%d.%m.%Y")
    line = TEXT_HEIGHT + 1
    if field.top >= line + 1:
        board.write(name, 1, 1)
    below = field.top + size
    if field.rows - below >= line + 1:
        board.write(f"{day} {visit.patient.id}", below + 2, 1)
    if inside:
        board.write_on_picture([name.partition("^")[0], day], field.top + 1, field.left + 1)
