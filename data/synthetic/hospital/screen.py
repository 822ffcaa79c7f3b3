"""What an ultrasound machine shows around the beam: text, an ECG, bars and depth marks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, UInt8

from cinelex.data.synthetic.hospital.burned import Board, Box
from cinelex.data.synthetic.hospital.shown import box_of
from cinelex.data.synthetic.hospital.visits import Visit

TEXT_HEIGHT: Final = 8
INKS: Final = ((255, 255, 255), (240, 240, 120), (120, 220, 255), (200, 200, 200))
"""Colour of the text of each layout."""
BACKGROUNDS: Final = (0, 0, 12, 0)
"""Gray of the empty screen of each layout."""


@dataclass(frozen=True)
class Screen:
    """What lies around a beam."""

    gray: UInt8[np.ndarray, "row column"]
    """The empty screen."""
    board: Board
    ink: tuple[int, int, int]
    bars: UInt8[np.ndarray, "row column 3"]
    """Gray and colour scales and depth marks; black where there are none."""
    ecg: Bool[np.ndarray, "frame y x"]
    """True where the trace is, within `ecg_box`."""
    ecg_box: Box


def draw_screen(
    visit: Visit, beam: Bool[np.ndarray, "row column"], frames: int, draw: np.random.Generator, *,
    doppler: bool,
) -> Screen:  # fmt: skip
    """Lay out the screen of one cine around its beam."""
    rows, columns = beam.shape
    layout = visit.machine.layout
    _, left, bottom, _ = box_of(beam)
    ecg_box = (bottom + 3, left // 2, min(rows - 1, bottom + 3 + rows // 9), columns * 4 // 5)
    return Screen(
        gray=np.full(beam.shape, BACKGROUNDS[layout], dtype=np.uint8),
        board=_write(visit, beam, layout, draw),
        ink=INKS[layout],
        bars=_draw_bars(beam, layout, doppler=doppler),
        ecg=_trace(frames, ecg_box, draw),
        ecg_box=ecg_box,
    )


def _write(
    visit: Visit, beam: Bool[np.ndarray, "row column"], layout: int, draw: np.random.Generator
) -> Board:
    """Write names and settings where the layout has them, wherever the beam leaves room."""
    rows, columns = beam.shape
    board = Board(rows, columns, text_height=TEXT_HEIGHT)
    patient, day = visit.patient, visit.when.strftime("%d/%m/%Y %H:%M")
    line = TEXT_HEIGHT + 1
    who = [patient.name.screen, f"{patient.id} {visit.site.name}"]
    if layout == 1:
        who.reverse()
    top = box_of(beam)[0]
    for number, text in enumerate(who[: (top - 1) // line]):
        board.write(text, 1 + number * line, 2)
    values = [f"FR {int(draw.integers(30, 70))}Hz", f"{int(draw.integers(11, 20))}cm", "2D 62%"]
    values = [day, *values] if layout in (0, 3) else values
    for number, text in enumerate(values):
        _write_beside(board, beam, text, top + 2 + number * line, from_right=layout % 2 == 1)
    if layout == 2:
        board.write(day, rows - TEXT_HEIGHT - 1, 2)
    return board


def _write_beside(
    board: Board, beam: Bool[np.ndarray, "row column"], text: str, row: int, *, from_right: bool
) -> None:
    """Write a line at an edge, unless it would lie over the beam."""
    trial = Board(*beam.shape, text_height=board.text_height)
    columns = beam.shape[1]
    column = columns - 14 if from_right else 2
    top, left, bottom, right = trial.write(text, row, column, from_right=from_right)
    if not beam[top:bottom, max(0, left - 3) : right + 3].any():
        board.write(text, row, column, from_right=from_right)


def _draw_bars(
    beam: Bool[np.ndarray, "row column"], layout: int, *, doppler: bool
) -> UInt8[np.ndarray, "row column 3"]:
    """Draw a gray scale, a colour scale where blood flow is shown, and ticks beside the beam."""
    rows, columns = beam.shape
    top, _, bottom, right = box_of(beam)
    bars = np.zeros((rows, columns, 3), dtype=np.uint8)
    half = (top + bottom) // 2
    ramp = np.linspace(255, 20, half - top).astype(np.uint8)
    bars[top:half, columns - 6 : columns - 2] = ramp[:, None, None]
    if doppler:
        middle = (half + bottom) // 2
        bars[half + 2 : middle, columns - 6 : columns - 2, 0] = 230
        bars[middle:bottom, columns - 6 : columns - 2, 2] = 230
    if layout != 0:
        column = min(right + 3, columns - 10)
        for row in range(top, bottom, max(6, (bottom - top) // 8)):
            if not beam[row, column - 2 :].any():
                bars[row, column : column + 2] = 220
    return bars


def _trace(frames: int, box: Box, draw: np.random.Generator) -> Bool[np.ndarray, "frame y x"]:
    """Draw an ECG that is written from left to right while the cine runs."""
    height, width = box[2] - box[0], box[3] - box[1]
    way = np.arange(width) * (2.0 / width) * draw.uniform(1.5, 2.5) % 1
    level = 0.15 * np.exp(-(((way - 0.2) / 0.05) ** 2)) + 0.9 * np.exp(-(((way - 0.4) / 0.02) ** 2))
    level += 0.25 * np.exp(-(((way - 0.7) / 0.07) ** 2))
    row = np.clip((height - 2) * (1 - level), 0, height - 1).astype(np.int64)
    trace = np.zeros((frames, height, width), dtype=bool)
    before = np.concatenate([row[:1], row[:-1]])
    high, low = np.minimum(row, before), np.maximum(row, before)
    place = np.arange(height)[:, None]
    line = (place >= high) & (place <= low)
    for number, frame in enumerate(trace):
        seen = width * (number + 1) // frames
        frame[:, :seen] = line[:, :seen]
    return trace
