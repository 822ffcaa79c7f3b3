"""Colour palettes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from cinelex.data.dicom.errors import DicomError
from tests.data.dicom.files import data_set, gray_cine, shown, write, write_cine


def palette(data: dict[str, bytes], entries: int, *, first: int, bits: int) -> dict[str, Any]:
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour, table in data.items():
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [entries, first, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = table
    return elements


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_palettes_of_16_bit_keep_their_high_byte_in_either_order(
    tmp_path: Path, syntax: str
) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    tables = {
        colour: np.array(levels, f"{order}u2").tobytes()
        for colour, levels in (
            ("Red", [0x1000, 0x20FF, 0xFFFF]),
            ("Green", [0, 0x8000, 0x0100]),
            ("Blue", [0xFF00, 0, 0x00FF]),
        )
    }
    how = palette(tables, 3, first=5, bits=16)
    pixels = np.array([[[4, 5, 6, 7, 8, 255]]] * 2, np.uint8)
    frames = shown(write(tmp_path / "a", data_set(pixels, **how), syntax=syntax)).frames
    first, second, third = [0x10, 0, 0xFF], [0x20, 0x80, 0], [0xFF, 1, 0]
    assert frames[0, 0].tolist() == [first, first, second, third, third, third]


def test_palettes_of_8_bit_may_hold_bytes(tmp_path: Path) -> None:
    tables = {"Red": b"\x01\x02", "Green": b"\x03\x04", "Blue": b"\x05\x06"}
    how = palette(tables, 2, first=0, bits=8)
    pixels = np.array([[[0, 1]]] * 2, np.uint8)
    assert shown(write_cine(tmp_path / "a", pixels, **how)).frames[0, 0].tolist() == [
        [1, 3, 5],
        [2, 4, 6],
    ]


def test_palettes_in_segments_are_expanded(tmp_path: Path) -> None:
    """Two values, then a line of 3 steps to 16·256, then both segments once more."""
    words = [0, 2, 256, 1024, 1, 3, 4096, 2, 2, 0, 0]
    how = palette({}, 0, first=0, bits=16)
    for colour in ("Red", "Green", "Blue"):
        how[f"{colour}PaletteColorLookupTableDescriptor"] = [10, 0, 16]
        how[f"Segmented{colour}PaletteColorLookupTableData"] = np.array(words, "<u2").tobytes()
    pixels = np.broadcast_to(np.arange(10, dtype=np.uint8), (2, 1, 10))
    frames = shown(write_cine(tmp_path / "a", np.ascontiguousarray(pixels), **how)).frames
    assert frames[0, 0, :, 0].tolist() == [1, 4, 8, 12, 16, 1, 4, 8, 12, 16]


def test_a_missing_palette_is_named(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine(), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(DicomError) as caught:
        shown(path)
    assert caught.value.reason == "palette"
