"""Which part of a cine is picture: the ultrasound beam, or the open field of an X-ray picture."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import UInt8

from cinelex.data.dicom.beam import Beam, fit_beam, overlap, robust_box
from cinelex.data.dicom.motion import Mask, Pairs, brightness, change, largest_piece, moving, pairs
from cinelex.data.dicom.pixels import Cine
from cinelex.data.dicom.record import FileRecord
from cinelex.data.dicom.shapes import Box, Region
from cinelex.data.dicom.stated_regions import COLOUR_FLOW
from cinelex.data.dicom.xray_field import seen_field, standing_text, stated_field

Source = Literal["regions", "shutters", "estimated", "rectangle"]
Doubt = Literal["letters", "shape", "header"]
Frames = UInt8[np.ndarray, "frame row column channel"]

CERTAIN: Final = 0.9
"""Confidence from which on nobody needs to look."""
MAX_SIDE: Final = 400
"""Pixels of the longer side that are looked at; a fitted shape needs no more."""
BEAM_MODALITIES: Final = frozenset({"US", "IVUS"})
MIN_BEAM: Final = 0.02
"""Share of a picture that a beam has at least."""
LIT: Final = 8
"""Gray levels above the empty screen."""
MIN_FIT: Final = 0.75
"""Overlap of a beam with what moves, below which it is no beam and a rectangle is kept."""
MIN_AGREEMENT: Final = 0.8
"""Overlap of the rows of the header's region with the beam's, below which it is not believed."""
MIN_OPEN_IN_STATED: Final = 0.6
"""Share of what a header says is open that is seen to be open, below which a person decides."""
FOUND_TEXT: Final = 0.85
"""Confidence at most where something like text stands in the field: a person looks."""
COLOURED: Final = 50
"""Levels between the largest and the smallest channel of a colour that is no tint."""
MIN_FLOW: Final = 0.001
"""Share of a beam's pixels."""
TINTED: Final = 0.5
"""Share of the lit pixels from which on a single hue is a tinted gray scale, not flow."""


@dataclass(frozen=True)
class Sector:
    """Which pixels of a cine are kept."""

    mask: Mask
    """True where a frame is picture."""
    box: Box
    """Top, left, bottom, right of the mask; the last two are the first outside."""
    confidence: float
    """From 0 to 1: how well what moves, the fitted shape and the header agree."""
    source: Source
    doubt: Doubt
    """What speaks most against the mask: something like letters stood in it and was cut out, the
    header says otherwise, or what is seen is no clean shape."""
    doppler: bool
    """Whether colours of blood flow lie over the gray."""


def find_sector(cine: Cine, record: FileRecord) -> Sector:
    """Return the picture's part of a cine, without knowing who made the machine.

    Ultrasound: what moves from frame to frame, as one piece, fitted by a sector or a rectangle, and
    compared with the header's regions where these are plausible. X-rays: what the header's shutters
    leave open, or what is brighter than a dark border, without text that stands in it.
    """
    if record.modality in BEAM_MODALITIES:
        return _beam(cine.frames, record)
    return _field(cine.frames, record)


def apply(
    frames: Frames, sector: Sector
) -> UInt8[np.ndarray, "frame kept_row kept_column channel"]:
    """Return frames cropped to a sector's box, and 0 outside its mask."""
    top, left, bottom, right = sector.box
    kept = sector.mask[top:bottom, left:right, None]
    return np.where(kept, frames[:, top:bottom, left:right], np.uint8(0))


def _sector(
    mask: Mask,
    confidence: float,
    source: Source,
    *,
    doubt: Doubt = "shape",
    doppler: bool = False,
) -> Sector:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return _sector(np.ones_like(mask), 0.0, "rectangle", doppler=doppler)
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return Sector(mask, box, round(confidence, 4), source, doubt, doppler)


def _beam(frames: Frames, record: FileRecord) -> Sector:
    shape = (frames.shape[1], frames.shape[2])
    region = _plausible(record.regions, shape)
    within = np.ones(shape, bool) if region is None else Beam(region).mask(shape)
    step = max(1, math.ceil(max(shape) / MAX_SIDE))
    near = slice(step // 2, None, step)
    before, after = pairs(frames[:, near, near])
    seen = _seen(before, after, within[near, near])
    doppler = any(shown == COLOUR_FLOW for *_, shown in record.regions)
    if not any(one.any() for one in seen):
        return _sector(within, 0.0, "rectangle", doppler=doppler)
    beam, fit = _fitted(seen)
    mask = beam.scaled(step).mask(shape) & within
    doppler = doppler or _has_flow(frames, mask)
    if fit < MIN_FIT:
        rectangle = (
            within
            if region is not None
            else Beam(robust_box(seen[0] | seen[1])).scaled(step).mask(shape)
        )
        return _sector(rectangle, fit / 2, "rectangle", doppler=doppler)
    if region is None:
        return _sector(mask, fit, "estimated", doppler=doppler)
    # a region is as deep as its beam, and often wider
    agreement = overlap(np.atleast_2d(mask.any(1)), np.atleast_2d(within.any(1)))
    if agreement < MIN_AGREEMENT:
        return _sector(mask, fit * agreement, "estimated", doubt="header", doppler=doppler)
    return _sector(mask, fit + (1 - fit) * agreement / 2, "regions", doppler=doppler)


def _seen(before: Pairs, after: Pairs, within: Mask) -> tuple[Mask, Mask]:
    """Return what moves and what is lit, each the largest piece of it inside a region."""
    moves = moving(change(before, after) * within)
    lit = (before.mean(0) >= _background(before) + LIT) & within
    return moves, largest_piece(lit | moves)


def _fitted(seen: tuple[Mask, Mask]) -> tuple[Beam, float]:
    """Return the beam that what moves makes; where little does, that of what is lit."""
    moves, lit = seen
    by_motion = fit_beam(moves) if moves.mean() >= MIN_BEAM else None
    if by_motion is not None and by_motion[1] >= CERTAIN:
        return by_motion
    by_light = fit_beam(lit) if lit.any() else None
    if by_motion is None or by_light is None:
        return by_motion or by_light or fit_beam(moves)
    return max(by_motion, by_light, key=lambda found: found[1])


def _plausible(regions: tuple[Region, ...], shape: tuple[int, int]) -> Box | None:
    """Return the box around the regions; None where they leave the picture, or are all of it."""
    if not regions:
        return None
    tops, lefts, bottoms, rights, _ = zip(*regions, strict=True)
    top, left, bottom, right = min(tops), min(lefts), max(bottoms), max(rights)
    # some writers give the first pixel outside
    if top < 0 or left < 0 or bottom > shape[0] + 1 or right > shape[1] + 1:
        return None
    share = max(0, bottom - top) * max(0, right - left) / (shape[0] * shape[1])
    return (top, left, bottom, right) if MIN_BEAM <= share < 0.95 else None


def _background(gray: UInt8[np.ndarray, "frame row column"]) -> int:
    """Return the most frequent level: that of the empty screen."""
    return int(np.bincount(gray.ravel(), minlength=256).argmax())


def _has_flow(frames: Frames, mask: Mask) -> bool:
    """Return whether some of a beam is red or blue, and that is no tint of all of it."""
    if frames.shape[-1] == 1 or not mask.any():
        return False
    pixels = frames[:: max(1, len(frames) // 8)][:, mask].astype(np.int16)
    warm = pixels[..., 0] - pixels[..., 2]
    lit = int((pixels.max(-1) > COLOURED).sum())
    reds, blues = int((warm >= COLOURED).sum()), int((warm <= -COLOURED).sum())
    least = MIN_FLOW * warm.size
    if min(reds, blues) >= least:
        return True
    return least <= max(reds, blues) < TINTED * lit


def _field(frames: Frames, record: FileRecord) -> Sector:
    shape = (frames.shape[1], frames.shape[2])
    gray = brightness(frames[:: max(1, len(frames) // 16)])
    stated = stated_field(record.shutters, shape)
    field, confidence = seen_field(gray)
    source: Source = "estimated"
    doubt: Doubt = "shape"
    if stated is not None:
        # a header may tell of the box around a disc; what is neither open nor bright is closed
        both = stated & field
        agreement = float(both.sum() / stated.sum())
        source = "shutters"
        if agreement < MIN_OPEN_IN_STATED:
            both, confidence, doubt = stated, agreement, "header"
        field = both
    boxes = standing_text(gray, field)
    mask = field.copy()
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = False
    if boxes:
        confidence, doubt = min(confidence, FOUND_TEXT), "letters"
    return _sector(mask, confidence, source, doubt=doubt)
