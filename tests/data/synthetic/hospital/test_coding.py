"""Pixels go into files of every kind and come out of pydicom as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array

from cinelex.data.synthetic.hospital.coding import (
    CODINGS,
    ULTRASOUND_CODINGS,
    XRAY_CODINGS,
    code,
    with_palette,
)
from cinelex.data.synthetic.hospital.headers import tell_pixels, write
from cinelex.data.synthetic.hospital.shown import Shown


def shown(*, coloured: bool, bits: int = 8) -> Shown:
    """Return three frames of a slope with a bright square that moves."""
    slope = np.linspace(0, 2**bits - 1, 40 * 52).reshape(40, 52)
    frames = np.stack([np.roll(slope, 3 * number, axis=1) for number in range(3)])
    stored = frames.astype(np.uint16 if bits > 8 else np.uint8)
    if coloured:
        stored = np.stack([stored, stored, 255 - stored // 2], axis=-1)
    return Shown(
        stored=stored, display=stored.astype(np.uint8), bits=bits,
        photometric="RGB" if coloured else "MONOCHROME2",
        mask=np.ones((40, 52), dtype=bool),
        letters=np.zeros((40, 52), dtype=bool), text_boxes=[], texts=[],
    )  # fmt: skip


def stored_in_file(cine: Shown, syntax: str, path: Path, *, split: bool = False) -> Dataset:
    header = Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    header.SOPInstanceUID = "2.25.1"
    tell_pixels(header, cine, code(cine, CODINGS[syntax], split=split))
    write(header, path, syntax=syntax)
    return dcmread(path)


LOSSLESS = [name for name, coding in CODINGS.items() if coding.lossless]


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_twelve_bits_come_back_exactly(syntax: str, tmp_path: Path) -> None:
    cine = shown(coloured=False, bits=12)
    found = stored_in_file(cine, syntax, tmp_path / "x")
    np.testing.assert_array_equal(pixel_array(found), cine.stored)


@pytest.mark.parametrize("syntax", [name for name in LOSSLESS if name != "jpeg_ls"])
def test_colours_come_back_exactly(syntax: str, tmp_path: Path) -> None:
    cine = shown(coloured=True)
    found = stored_in_file(cine, syntax, tmp_path / "x")
    np.testing.assert_array_equal(pixel_array(found), cine.stored)


@pytest.mark.parametrize("syntax", ["explicit", "rle", "jpeg_lossless"])
def test_places_in_a_palette_come_back_and_lead_to_the_colours(syntax: str, tmp_path: Path) -> None:
    from pydicom.pixels.processing import apply_color_lut

    cine = with_palette(shown(coloured=True))
    found = stored_in_file(cine, syntax, tmp_path / "x")
    places = pixel_array(found)
    np.testing.assert_array_equal(places, cine.stored)
    np.testing.assert_array_equal(apply_color_lut(places, found) // 257, cine.display)


@pytest.mark.parametrize("coloured", [False, True])
def test_jpeg_comes_back_nearly(coloured: bool, tmp_path: Path) -> None:
    cine = shown(coloured=coloured)
    found = stored_in_file(cine, "jpeg", tmp_path / "x")
    assert found.PhotometricInterpretation == ("YBR_FULL_422" if coloured else "MONOCHROME2")
    frames = pixel_array(found).astype(np.int64)
    assert np.abs(frames - cine.stored).mean() < 4


def test_h264_lies_in_one_fragment_that_ffmpeg_reads(tmp_path: Path) -> None:
    import io

    import av
    from pydicom.encaps import generate_fragments

    cine = shown(coloured=True)
    found = stored_in_file(cine, "h264", tmp_path / "x")
    fragments = list(generate_fragments(found.PixelData))
    pictures: list[Any] = []
    with av.open(io.BytesIO(b"".join(fragments[1:])), "r") as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 3
    assert np.abs(np.stack(pictures).astype(np.int64) - cine.stored).mean() < 6


def test_a_frame_in_two_fragments_is_one_frame(tmp_path: Path) -> None:
    from pydicom.encaps import generate_fragments

    cine = shown(coloured=False, bits=12)
    found = stored_in_file(cine, "jpeg_lossless", tmp_path / "x", split=True)
    assert len(list(generate_fragments(found.PixelData))) == 1 + 6
    np.testing.assert_array_equal(pixel_array(found), cine.stored)


def test_how_often_codings_are_used_adds_up() -> None:
    for odds in (XRAY_CODINGS, ULTRASOUND_CODINGS):
        assert odds.keys() <= CODINGS.keys()
        assert sum(odds.values()) == pytest.approx(1)
