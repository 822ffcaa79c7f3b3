"""Colour palettes: 8 or 16 bit, of either byte order, plain or in segments."""

from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
from pydicom.dataset import Dataset

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.values import numbers, value

COLOURS: Final = ("Red", "Green", "Blue")


def palette(dataset: Dataset, *, codes: int) -> UInt8[np.ndarray, "code 3"]:
    """Return the colour of every stored value from 0 to ``codes - 1``.

    Values below the first that the palette maps take its first colour, those beyond its last one.

    Raises:
        DicomError: A table is missing or shorter than it says.
    """
    little = bool(dataset.original_encoding[1])
    return np.stack([_channel(dataset, colour, codes, little) for colour in COLOURS], axis=1)


def _channel(dataset: Dataset, colour: str, codes: int, little: bool) -> UInt8[np.ndarray, " code"]:
    descriptor = numbers(dataset, f"{colour}PaletteColorLookupTableDescriptor")
    if len(descriptor) != 3:
        raise DicomError("palette")
    count, first, bits = (int(one) for one in descriptor)
    count = count or 1 << 16
    first = first - (1 << 16) if first > 1 << 15 else first
    table: np.ndarray[Any, np.dtype[Any]] = _table(dataset, colour, count, bits, little)
    if len(table) < count or count < 1:
        raise DicomError("palette")
    if bits == 16 and table.max() > 255:  # some writers say 16 and mean 8
        table = table >> 8
    places = np.clip(np.arange(codes) - first, 0, count - 1)
    return table[places].astype(np.uint8)


def _table(
    dataset: Dataset, colour: str, count: int, bits: int, little: bool
) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    plain = value(dataset, f"{colour}PaletteColorLookupTableData")
    coded = value(dataset, f"Segmented{colour}PaletteColorLookupTableData")
    data = coded if plain is None else plain
    if not isinstance(data, bytes):
        raise DicomError("palette")
    bytes_each = bits == 8 and (len(data) <= count + 1 if coded is None else False)
    kind = "u1" if bytes_each else ("<u2" if little else ">u2")
    words = np.frombuffer(data[: len(data) // 2 * 2], kind)
    if plain is None:
        words = np.array(_expanded(words.tolist(), count), np.uint16)
    return words.astype(np.uint16)


def _expanded(words: list[int], count: int) -> list[int]:
    """Return the table that segments describe; at most ``count`` values are made.

    A segment is 0 (values), 1 (a line to a value) or 2 (earlier segments again), and a length.

    Source: DICOM PS3.3, C.7.9.2.
    """
    table: list[int] = []
    place = 0
    while place + 1 < len(words) and len(table) < count:
        kind, length = words[place], words[place + 1]
        if kind == 2:
            start = words[place + 2] + (words[place + 3] << 16)
            table += _again(words, start, length, table, count)
            place += 4
            continue
        _append(table, words, place)
        place += 2 + (length if kind == 0 else 1)
    return table[:count]


def _append(table: list[int], words: list[int], place: int) -> None:
    """Append the segment of values or the line that begins at ``place``."""
    kind, length = words[place], words[place + 1]
    if kind == 0:
        table += words[place + 2 : place + 2 + length]
    elif kind == 1 and table:
        end = words[place + 2]
        table += np.linspace(table[-1], end, length + 1)[1:].round().astype(int).tolist()
    else:
        raise DicomError("palette")


def _again(words: list[int], start: int, segments: int, table: list[int], count: int) -> list[int]:
    """Return what the ``segments`` segments from byte ``start`` on add to a table."""
    longer = list(table)
    place = start // 2
    for _ in range(segments):
        if len(longer) >= count:
            break
        _append(longer, words, place)
        place += 2 + (words[place + 1] if words[place] == 0 else 1)
    return longer[len(table) :]
