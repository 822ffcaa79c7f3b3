"""The thirteen parameters of the equalizer: their order in the file, their units and ranges."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gain", "frequency", "quality"]

UNITS: dict[Kind, str] = {"gain": "dB", "frequency": "Hz", "quality": ""}


@dataclass(frozen=True)
class Parameter:
    """One number of a setting."""

    name: str
    kind: Kind
    band: int
    """The band it belongs to, from 1: low shelf, three peaks, high shelf."""
    low: float
    """The least value, in dB, Hz, or as a quality factor."""
    high: float
    """The greatest value."""

    @property
    def unit(self) -> str:
        """Return dB, Hz, or nothing."""
        return UNITS[self.kind]


MAX_GAIN_DB = 12.0
QUALITY = (0.1, 10.0)
BANDS: tuple[tuple[float, float], ...] = (
    (22.0, 1000.0),
    (82.0, 3900.0),
    (180.0, 4700.0),
    (220.0, 10000.0),
    (580.0, 20000.0),
)
"""Least and greatest frequency of each band, in Hz; the first and the last are shelves."""


def _parameters() -> tuple[Parameter, ...]:
    found = []
    for band, (low, high) in enumerate(BANDS, start=1):
        found.append(Parameter(f"gain {band}", "gain", band, -MAX_GAIN_DB, MAX_GAIN_DB))
        found.append(Parameter(f"frequency {band}", "frequency", band, low, high))
        if 1 < band < len(BANDS):
            found.append(Parameter(f"Q {band}", "quality", band, *QUALITY))
    return tuple(found)


PARAMETERS: tuple[Parameter, ...] = _parameters()
"""In the order of the file: G1 f1, G2 f2 Q2, G3 f3 Q3, G4 f4 Q4, G5 f5."""


def places_of(kind: Kind) -> tuple[int, ...]:
    """Return where the parameters of one kind stand, band by band."""
    return tuple(index for index, item in enumerate(PARAMETERS) if item.kind == kind)


GAIN_OF: tuple[int, ...] = tuple(places_of("gain")[item.band - 1] for item in PARAMETERS)
"""For each parameter, where the gain of its band stands."""
