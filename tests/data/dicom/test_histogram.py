"""Counting the ends alone moves no percentile, and where it might, it is not done."""

import numpy as np
import pytest

from cinelex.data.dicom.histogram import ends, histogram

SHARES = (0.001, 0.999)


def percentiles(counts: np.ndarray) -> list[int]:
    below = np.cumsum(counts) / counts.sum()
    return [int(np.searchsorted(below, share)) for share in SHARES]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
@pytest.mark.parametrize("at_once", [True, False])
def test_ends_have_the_percentiles_of_all_pixels(order: str, at_once: bool) -> None:
    draw = np.random.default_rng(0)
    cine = np.clip(draw.normal(2000, 300, (6, 500, 501)), 0, 4095).astype(order)
    runs = [cine] if at_once else list(cine[:, None])
    counts = ends(runs, 65536, stored=4096, shares=SHARES)
    assert counts is not None
    every_second = np.sort(cine[:, ::2], axis=None)
    expected = [int(every_second[len(every_second) * n // 1000]) for n in (1, 999)]
    assert percentiles(counts) == percentiles(histogram(runs, 65536)) == expected
    assert counts.sum() == every_second.size


@pytest.mark.parametrize("kind", ["two gray levels", "bits above the stored ones", "odd rows"])
def test_what_the_ends_cannot_tell(kind: str) -> None:
    cine = np.random.default_rng(0).integers(0, 4096, (2, 64, 64)).astype(np.uint16)
    if kind == "two gray levels":
        cine = (cine > 2000).astype(np.uint16)
    if kind == "bits above the stored ones":
        cine[0, 5, 5] |= 0x8000
    if kind == "odd rows":  # those that are looked at first are unlike all others
        cine[:, ::16] = 4095
    assert ends([cine], 65536, stored=4096, shares=SHARES) is None
