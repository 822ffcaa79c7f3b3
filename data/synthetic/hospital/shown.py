"""What a made-up machine shows and stores: the pictures of one cine, with what is true of them."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, UInt, UInt8

from cinelex.data.synthetic.hospital.burned import Box

Samples = UInt[np.ndarray, "frame row column *channel"]


@dataclass(frozen=True)
class Region:
    """A rectangle of the picture that an ultrasound header tells of."""

    box: Box
    space: int
    """RegionSpatialFormat: 1 is two-dimensional, 4 a waveform."""
    content: int
    """RegionDataType: 1 is tissue, 2 is colour flow, 10 an ECG."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One cine as a machine stores it, and what a viewer should see."""

    stored: Samples
    """As it is coded: gray, RGB, or places in `palette`."""
    display: UInt8[np.ndarray, "frame row column *colour"]
    """As it should be seen: 0 (black) to 255, gray or RGB."""
    photometric: str
    """Of `stored` before any coding, in the words of DICOM."""
    bits: int = 8
    """Bits of a sample that carry something."""
    palette: UInt8[np.ndarray, "256 3"] | None = None
    mask: Bool[np.ndarray, "row column"]
    """True where the picture is to be kept: the beam, or the open field without burned-in text."""
    letters: Bool[np.ndarray, "row column"]
    """True where text is burned in."""
    text_boxes: list[Box]
    texts: list[str]
    """What stands in `text_boxes`."""
    shutter: Box | None = None
    """Around the open field, where a header tells of it."""
    round_shutter: bool = False
    """True where the field is the circle in that box."""
    window: tuple[float, float] | None = None
    """Centre and width of the linear window that leads to `display`, where a header has one."""
    regions: list[Region] = field(default_factory=list)
    doppler: bool = False


def box_of(mask: Bool[np.ndarray, "row column"]) -> Box:
    """Return the smallest rectangle that holds all that is true."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
