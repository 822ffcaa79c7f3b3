"""Pixels as a viewer shows them, with values known by hand."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cinelex.data.dicom.errors import DicomError
from tests.data.dicom.files import (
    colour_cine,
    data_set,
    gray_cine,
    recoded,
    shown,
    write,
    write_cine,
    write_jpeg,
)

LOSSLESS = {
    "JPEG lossless": JPEGLossless,
    "JPEG lossless SV1": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "RLE": RLELossless,
}


def test_gray_of_8_bit_is_shown_as_it_is_stored(tmp_path: Path) -> None:
    cine = shown(write_cine(tmp_path / "a", gray_cine()))
    np.testing.assert_array_equal(cine.frames[..., 0], gray_cine())
    assert (cine.shown, cine.frame_times_ms) == ("as stored", (0, 40, 80))


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_uncompressed_syntax_gives_the_same_pixels(tmp_path: Path, syntax: str) -> None:
    dataset = data_set(gray_cine(3, 4, 6))
    cine = shown(write(tmp_path / "a", dataset, syntax=syntax))
    np.testing.assert_array_equal(cine.frames[..., 0], gray_cine(3, 4, 6))


def test_8_bit_samples_in_big_endian_words_are_swapped_back(tmp_path: Path) -> None:
    dataset = data_set(gray_cine())
    dataset.PixelData = gray_cine().view(np.uint16).byteswap().tobytes()
    dataset["PixelData"].VR = "OW"
    cine = shown(write(tmp_path / "a", dataset, syntax=ExplicitVRBigEndian))
    np.testing.assert_array_equal(cine.frames[..., 0], gray_cine())


@pytest.mark.parametrize("code", LOSSLESS)
def test_gray_without_loss_comes_back_to_the_bit(tmp_path: Path, code: str) -> None:
    pixels = gray_cine(3, 16, 20)
    path = write_cine(tmp_path / "a", pixels)
    cine = shown(recoded(path, tmp_path / "b", LOSSLESS[code]))
    np.testing.assert_array_equal(cine.frames[..., 0], pixels)


@pytest.mark.parametrize("code", LOSSLESS)
def test_colours_without_loss_come_back_to_the_bit(tmp_path: Path, code: str) -> None:
    path = write_cine(tmp_path / "a", colour_cine())
    cine = shown(recoded(path, tmp_path / "b", LOSSLESS[code]))
    np.testing.assert_array_equal(cine.frames, colour_cine())


@pytest.mark.parametrize("code", LOSSLESS)
def test_12_bit_of_a_run_come_back_through_a_window(tmp_path: Path, code: str) -> None:
    pixels = np.arange(2 * 16 * 20).reshape(2, 16, 20).astype(np.uint16) * 6
    how = {"BitsStored": 12, "HighBit": 11, "WindowCenter": "2048", "WindowWidth": "4096"}
    path = write_cine(tmp_path / "a", pixels, **how)
    cine = shown(recoded(path, tmp_path / "b", LOSSLESS[code]))
    expected = np.rint((pixels - 2047.5) / 4095 * 255 + 127.5)
    np.testing.assert_array_equal(cine.frames[..., 0], expected)


def test_12_bit_with_loss_are_close(tmp_path: Path) -> None:
    smooth = 1000 + 8 * np.arange(2 * 16 * 16).reshape(2, 16, 16).astype(np.uint16) // 2
    how = {"BitsStored": 12, "HighBit": 11, "WindowCenter": "2048", "WindowWidth": "4096"}
    path = write_cine(tmp_path / "a", smooth, **how)
    cine = shown(recoded(path, tmp_path / "b", JPEGExtended12Bit))
    assert np.abs(cine.frames[..., 0] - smooth / 16.0).mean() < 2


def test_planes_one_after_another_are_put_side_by_side(tmp_path: Path) -> None:
    planes = np.ascontiguousarray(np.moveaxis(colour_cine(), 3, 1))
    dataset = data_set(colour_cine(), PlanarConfiguration=1)
    dataset.PixelData = planes.tobytes()
    np.testing.assert_array_equal(shown(write(tmp_path / "a", dataset)).frames, colour_cine())


YCBCR = {(255, 128, 128): (255, 255, 255), (76, 85, 255): (254, 0, 0), (150, 44, 21): (0, 255, 1)}
"""YCbCr of white, red and green, and the RGB that the standard's formula makes of it."""


def test_ycbcr_becomes_rgb(tmp_path: Path) -> None:
    pixels = np.array([[list(YCBCR)]] * 2, np.uint8)
    path = write_cine(tmp_path / "a", pixels, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(shown(path).frames[0, 0], list(YCBCR.values()), atol=1)


def test_uncompressed_422_has_two_bytes_a_pixel(tmp_path: Path) -> None:
    how = {"PhotometricInterpretation": "YBR_FULL_422"}
    dataset = data_set(np.zeros((2, 1, 4, 3), np.uint8), **how)
    dataset.PixelData = bytes([255, 76, 128, 128, 76, 76, 85, 255]) * 2
    frames = shown(write(tmp_path / "a", dataset)).frames
    expected = [[255, 255, 255], [76, 76, 76], [254, 0, 0], [254, 0, 0]]
    np.testing.assert_allclose(frames[1, 0], expected, atol=1)


def test_jpeg_of_ycbcr_becomes_rgb(tmp_path: Path) -> None:
    how = {"PhotometricInterpretation": "YBR_FULL_422"}
    frames = shown(write_jpeg(tmp_path / "a", colour_cine(), **how)).frames
    assert np.abs(frames.astype(int) - colour_cine()).mean() < 4


def without_marker(path: Path) -> Path:
    """Take JFIF's marker out of every frame, so that the header alone says what the colours are."""
    content = path.read_bytes()
    start = content.index(b"\xff\xe0\x00\x10JFIF\0")
    segment = content[start : start + 18]
    # a comment of the same length takes its place
    path.write_bytes(content.replace(segment, b"\xff\xfe" + segment[2:4] + b"-" * 14))
    return path


def test_rgb_inside_jpeg_without_a_marker_is_left_alone(tmp_path: Path) -> None:
    """Written as if it were YCbCr, so that the code holds RGB untouched."""
    path = without_marker(write_jpeg(tmp_path / "a", colour_cine(), mode="YCbCr"))
    frames = shown(path).frames
    assert np.abs(frames.astype(int) - colour_cine()).mean() < 4


def test_frames_in_several_fragments_are_joined(tmp_path: Path) -> None:
    whole = shown(write_jpeg(tmp_path / "a", colour_cine()))
    codes = [bytes(one) for one in _codes(tmp_path / "a")]
    dataset = data_set(colour_cine(), PhotometricInterpretation="YBR_FULL_422")
    dataset.PixelData = encapsulate(codes, fragments_per_frame=3, has_bot=False)
    dataset["PixelData"].is_undefined_length = True
    path = write(tmp_path / "b", dataset, syntax=JPEGBaseline8Bit)
    np.testing.assert_array_equal(shown(path).frames, whole.frames)


def _codes(path: Path) -> list[bytes]:
    return list(generate_frames(dcmread(path).PixelData, number_of_frames=3))


@pytest.mark.parametrize("stated", [2, 4])
def test_another_number_of_frames_than_stated_is_refused(tmp_path: Path, stated: int) -> None:
    path = write_jpeg(tmp_path / "a", colour_cine(), NumberOfFrames=stated)
    with pytest.raises(DicomError) as caught:
        shown(path)
    assert caught.value.reason == "frames_differ"


def test_more_uncompressed_frames_than_stated_are_refused_and_padding_is_not(
    tmp_path: Path,
) -> None:
    padded = data_set(gray_cine(3))
    padded.PixelData += bytes(10)
    np.testing.assert_array_equal(shown(write(tmp_path / "a", padded)).frames[..., 0], gray_cine(3))
    with pytest.raises(DicomError) as caught:
        shown(write_cine(tmp_path / "b", gray_cine(3), NumberOfFrames=2))
    assert caught.value.reason == "frames_differ"


def test_another_frame_size_than_stated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomError) as caught:
        shown(write_jpeg(tmp_path / "a", colour_cine(), Rows=4))
    assert caught.value.reason == "frame_shape"


def test_pixels_cut_anywhere_are_refused(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "a", colour_cine())
    content = path.read_bytes()
    for length in range(len(content) - 200, len(content) - 8, 13):
        path.write_bytes(content[:length])
        with pytest.raises(DicomError):
            shown(path)


def test_a_code_that_is_no_jpeg_is_refused_without_a_word_of_the_file(tmp_path: Path) -> None:
    path = write_jpeg(tmp_path / "a", colour_cine())
    content = path.read_bytes()
    at = content.rindex(b"\xff\xd8")
    path.write_bytes(content[:at] + b"\0" * 40 + content[at + 40 :])
    with pytest.raises(DicomError) as caught:
        shown(path)
    assert caught.value.reason == "corrupt_pixels"
    assert str(tmp_path) not in str(caught.value)
