"""Gray levels that a viewer shows, with values known by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.data.dicom.files import gray_cine, shown, write_cine


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine(), PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(shown(path).frames[..., 0], 255 - gray_cine())


@pytest.mark.parametrize(
    ("function", "levels"),
    [
        (None, [0, 0, 85, 170, 255, 255]),
        ("LINEAR_EXACT", [0, 0, 64, 128, 191, 255]),
        ("SIGMOID", [5, 30, 69, 128, 186, 225]),
    ],
)
def test_windows_follow_the_standards_formulas(
    tmp_path: Path, function: str | None, levels: list[int]
) -> None:
    """Values 96, 98, 99, 100, 101, 102 under centre 100 and width 4, as 2 × stored − 4."""
    stored = np.array([50, 51, 51.5, 52, 52.5, 53])
    pixels = np.broadcast_to((2 * stored).astype(np.uint16), (2, 1, 6))
    how: dict[str, Any] = {"RescaleSlope": "1", "RescaleIntercept": "-4"}
    window = {"WindowCenter": "100", "WindowWidth": "4", "VOILUTFunction": function}
    cine = shown(write_cine(tmp_path / "a", np.ascontiguousarray(pixels), **how, **window))
    values = 2 * stored - 4
    assert values.tolist() == [96, 98, 99, 100, 101, 102]
    assert cine.shown == "header"
    if function == "SIGMOID":
        levels = np.rint(255 / (1 + np.exp(-4 * (values - 100) / 4))).astype(int).tolist()
    if function is None:
        levels = np.rint(255 * np.clip((values - 99.5) / 3 + 0.5, 0, 1)).astype(int).tolist()
    assert cine.frames[0, 0, :, 0].tolist() == levels


def test_without_a_window_the_percentiles_of_the_whole_cine_decide(tmp_path: Path) -> None:
    """A dark and a bright frame keep their difference, which one by one they would lose."""
    pixels = np.stack([np.full((20, 50), 1000), np.full((20, 50), 3000)]).astype(np.uint16)
    pixels[0, 0, 0], pixels[1, 0, 0] = 0, 60000  # 1 of 2,000 pixels each, below 0.1 %
    cine = shown(write_cine(tmp_path / "a", pixels))
    assert cine.shown == "percentile"
    assert cine.frames[0, 5, 5, 0] == 0
    assert cine.frames[1, 5, 5, 0] == 255


def test_signed_values_and_old_overlays_in_the_high_bits(tmp_path: Path) -> None:
    values = np.array([[-100, -1, 0, 50, 99, 100]] * 2, np.int16).reshape(2, 1, 6)
    stored = (values & 0x0FFF).astype(np.uint16) | 0xA000
    how = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    window = {"WindowCenter": "0.5", "WindowWidth": "201"}
    cine = shown(write_cine(tmp_path / "a", stored, **how, **window))
    expected = np.rint((values[0, 0] + 100) / 200 * 255)
    assert cine.frames[0, 0, :, 0].tolist() == expected.tolist()


def test_tables_come_before_windows(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [4, 10, 16]
    table.LUTData = np.array([100, 0, 50, 200], "<u2").tobytes()
    pixels = np.array([[[9, 10, 11, 12, 13, 14]]] * 2, np.uint8)
    path = write_cine(tmp_path / "a", pixels, VOILUTSequence=[table], WindowCenter="3")
    assert shown(path).frames[0, 0, :, 0].tolist() == [128, 128, 0, 64, 255, 255]
