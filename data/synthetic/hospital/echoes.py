"""Ultrasound cines: a cine of the plan seen in a beam, with speckle, and a machine's screen."""

import numpy as np
from jaxtyping import Bool, UInt8

from cinelex.data.synthetic.cines.cine import CinePlan, add_noise, render_cine
from cinelex.data.synthetic.cines.echo import echo
from cinelex.data.synthetic.hospital.beams import Beam, draw_beam
from cinelex.data.synthetic.hospital.screen import Screen, draw_screen
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.shown import Region, Shown, box_of
from cinelex.data.synthetic.hospital.visits import Visit

WRONG_REGION_RATE = 0.15
"""Share of the headers that tell of regions whose beam is the whole screen, which is of no use."""


def scan(
    visit: Visit, cine: CinePlan, settings: HospitalSettings, draw: np.random.Generator, *,
    coloured: bool,
) -> Shown:  # fmt: skip
    """Return one cine of the plan as ultrasound, in RGB, or gray where it is not `coloured`."""
    size, layout = settings.studies.size, visit.machine.layout
    rows, columns = size * 3 // 4 * 2, round(1.1 * size) * 2
    pixels = add_noise(render_cine(cine, settings.studies), cine, settings.studies)
    beam = draw_beam(layout, rows, columns, draw)
    mask = beam.mask(rows, columns)
    doppler = coloured and draw.random() < settings.doppler_rate
    screen = draw_screen(visit, mask, len(pixels), draw, doppler=doppler)
    top, left, bottom, right = box_of(mask)
    gray = np.repeat(screen.gray[None], len(pixels), axis=0)
    seen = echo(pixels, bottom - top, right - left, draw)
    gray[:, mask] = seen[:, mask[top:bottom, left:right]]
    display = np.repeat(gray[..., None], 3, axis=-1)
    if doppler:
        _add_flow(display, beam, mask, draw)
    _burn(display, screen)
    if not coloured:
        display = display.max(axis=-1)
    return Shown(
        stored=display,
        display=display,
        photometric="RGB" if coloured else "MONOCHROME2",
        mask=mask,
        letters=screen.board.covered,
        text_boxes=screen.board.text_boxes,
        texts=screen.board.texts,
        regions=_regions(settings, mask, screen, draw, doppler=doppler),
        doppler=doppler,
    )


def _add_flow(
    display: UInt8[np.ndarray, "frame row column 3"], beam: Beam,
    mask: Bool[np.ndarray, "row column"], draw: np.random.Generator,
) -> None:  # fmt: skip
    """Paint blood that flows to and from the probe, red and blue, within a part of the beam."""
    deep, aside = beam.places(*mask.shape)
    start, side = draw.uniform(0.3, 0.45), draw.uniform(-0.5, 0.0)
    box = mask & (deep > start) & (deep < start + 0.35) & (aside > side) & (aside < side + 0.5)
    for number, frame in enumerate(display):
        beat = np.sin(2 * np.pi * (2 * number / len(display)) + 9 * deep + 5 * aside)
        flows = box & (np.abs(beat) > 0.35)
        speed = (255 * np.abs(beat)).astype(np.uint8)
        towards = beat > 0
        frame[flows] = 0
        frame[flows & towards, 0] = speed[flows & towards]
        frame[flows & ~towards, 2] = speed[flows & ~towards]
        frame[flows, 1] = speed[flows] // 3


def _burn(display: UInt8[np.ndarray, "frame row column 3"], screen: Screen) -> None:
    """Lay the ECG, the bars and all text over the pictures."""
    top, left, bottom, right = screen.ecg_box
    for number, frame in enumerate(display):
        frame[top:bottom, left:right][screen.ecg[number]] = (40, 230, 60)
    display[:, screen.bars.any(-1)] = screen.bars[screen.bars.any(-1)]
    display[:, screen.board.covered] = screen.ink


def _regions(
    settings: HospitalSettings, mask: Bool[np.ndarray, "row column"], screen: Screen,
    draw: np.random.Generator, *, doppler: bool,
) -> list[Region]:  # fmt: skip
    """Return what the header says of regions: nothing, the truth, or that all is picture."""
    told, wrong = draw.random(2)
    if told >= settings.regions_rate:
        return []
    if wrong < WRONG_REGION_RATE:
        return [Region((0, 0, *mask.shape), space=1, content=1)]
    regions = [Region(box_of(mask), space=1, content=1)]
    if doppler:
        regions.append(Region(box_of(mask), space=1, content=2))
    return [*regions, Region(screen.ecg_box, space=4, content=10)]
