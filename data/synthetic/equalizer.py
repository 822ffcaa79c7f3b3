"""A made-up file of equalizer settings, in the format of the real one, with nobody in it.

A descriptor is a curve: how much, in dB, it wants at which frequency. People differ in where they
put their bands, how strongly they work and which bands they leave alone; wherever a band is, its
gain follows the descriptor's curve there. The same word is thus reached by many settings, and a
gain means nothing without its frequency, as in the real file.
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from cinelex.core.csv_text import csv_text
from cinelex.core.files import hash_json, write_whole
from cinelex.core.randomness import numpy_generator
from cinelex.data.eq.parameters import BANDS, MAX_GAIN_DB, PARAMETERS, QUALITY

ANCHORS_HZ: Final = (60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 12000.0)
CURVES_DB: Final[dict[str, tuple[float, ...]]] = {
    "warm": (4, 6, 4, 0, -3, -5, -6),
    "bright": (-4, -4, -2, 0, 4, 7, 6),
    "boomy": (9, 7, 0, -2, -3, -3, -3),
    "thin": (-10, -8, -4, 1, 3, 2, 1),
    "muddy": (2, 6, 7, 1, -4, -6, -6),
    "airy": (-2, -3, -2, 0, 1, 5, 9),
    "harsh": (-3, -3, -1, 3, 8, 4, 0),
    "radio": (-12, -9, 0, 6, 5, -5, -12),
}
"""What a descriptor wants, in dB, at each of the anchors; straight in between, in octaves."""
SHARES: Final = (0.31, 0.29, 0.08, 0.08, 0.06, 0.06, 0.05, 0.04)
"""How often each descriptor is used; the rest of the rows has a word of its own."""
RARE: Final = ("test", "nice", "boxy", "hollow", "fat", "smooth", "bite", "glassy", "dull", "open")
DEFAULT_HZ: Final = (150.0, 560.0, 1000.0, 3300.0, 8200.0)
"""Where the plug-in puts its bands before anybody touches them."""
DEFAULT_QUALITY: Final = 0.71
SHELF_OCTAVES: Final = 1.0
"""How far beyond its corner a shelf is heard: its gain follows the curve there."""


@dataclass(frozen=True, kw_only=True)
class EqSetSettings:
    """What decides every byte of a made-up file."""

    rows: int = 1700
    people: int = 120
    seed: int = 0
    label_noise: float = 0.05


@dataclass(frozen=True)
class _Person:
    """The habits of one who makes settings."""

    ip: str
    corner: Float[np.ndarray, " band"]
    """Where they like to put each band, in ln Hz."""
    strength: float
    """Factor on all gains."""
    touched: float
    """Chance that they touch a band at all."""


def make_eq_file(settings: EqSetSettings, folder: Path) -> Path:
    """Write the file below ``folder``, unless it is there, and return its path."""
    path = folder / f"eq-{hash_json(asdict(settings))[:16]}.csv"
    if not path.exists():
        write_whole(path, eq_file_text(settings))
    return path


def eq_file_text(settings: EqSetSettings) -> str:
    """Return the content of the file: 25 columns, no header."""
    people = [_person(settings.seed, number) for number in range(settings.people)]
    rows = []
    for number in range(1, settings.rows + 1):
        random = numpy_generator(settings.seed, "eq row", number)
        # a few people make most of the settings
        maker = int(settings.people * random.uniform() ** 2)
        rows.append(_cells(number, people[maker], settings.label_noise, random))
    return csv_text(rows)


def _cells(
    number: int, person: _Person, label_noise: float, random: np.random.Generator
) -> list[str]:
    """Return the 25 cells of one row."""
    names = list(CURVES_DB)
    drawn = int(np.searchsorted(np.cumsum(SHARES), random.uniform()))
    meant = names[drawn] if drawn < len(names) else names[int(random.integers(len(names)))]
    word = meant if drawn < len(names) else RARE[int(random.integers(len(RARE)))]
    if random.uniform() < label_noise:
        word = names[int(random.integers(len(names)))]
    written = [word, word.capitalize(), f"{word} ", f"{word}, {random.choice(RARE)}"]
    cell = written[int(random.choice(4, p=[0.75, 0.1, 0.1, 0.05]))]
    values = [repr(float(np.float32(value))) for value in _values(meant, person, random)]
    return [
        *(str(number), cell, person.ip, "2", "2"),
        *values,
        *[""] * 6,
        hashlib.blake2b(f"{number} {values}".encode(), digest_size=16).hexdigest(),
    ]


def _values(word: str, person: _Person, random: np.random.Generator) -> list[float]:
    """Return the thirteen parameters of one setting of a descriptor."""
    strength = person.strength * float(np.exp(random.normal(0, 0.3)))
    values: list[float] = []
    for band, (low, high) in enumerate(BANDS):
        gain, hz, quality = 0.0, DEFAULT_HZ[band], DEFAULT_QUALITY
        if random.uniform() < person.touched:
            wish = float(np.exp(person.corner[band] + random.normal(0, 0.6)))
            hz = min(high, max(low, wish))
            side = (band == len(BANDS) - 1) - (band == 0)
            wanted = _curve(word, hz * 2 ** (side * SHELF_OCTAVES))
            gain = float(np.clip(strength * wanted + random.normal(0, 2.0), -12.0, MAX_GAIN_DB))
            quality = float(np.clip(0.9 * np.exp(random.normal(0, 0.6)), *QUALITY))
        values += [gain, hz] if band in (0, len(BANDS) - 1) else [gain, hz, quality]
    assert len(values) == len(PARAMETERS)
    return values


def _curve(word: str, hz: float) -> float:
    """Return how many dB a descriptor wants at a frequency."""
    return float(np.interp(math.log(hz), np.log(ANCHORS_HZ), CURVES_DB[word]))


def _person(seed: int, number: int) -> _Person:
    """Draw one person's habits; the address is from the range that is reserved for examples."""
    random = numpy_generator(seed, "eq person", number)
    middle = np.array([(math.log(low) + math.log(high)) / 2 for low, high in BANDS])
    spread = np.array([math.log(high / low) / 5 for low, high in BANDS])
    return _Person(
        ip=f"203.0.113.{number}" if number < 256 else f"2001:db8::{number:x}",
        corner=middle + spread * random.normal(size=len(BANDS)),
        strength=float(np.exp(random.normal(0, 0.25))),
        touched=float(random.uniform(0.55, 0.95)),
    )
