"""Response curves are those of scipy's filters with the cookbook's coefficients."""

import math

import numpy as np
import pytest
import torch
from scipy import signal

from cinelex.data.eq.codec import EqSettings, EqUnits
from cinelex.data.eq.response import SAMPLE_RATE_HZ, frequencies, response_db

HZ = frequencies(128).numpy()


def cookbook(kind: str, gain: float, hz: float, quality: float) -> tuple[list[float], list[float]]:
    """Return the coefficients as the cookbook prints them."""
    a, w = 10 ** (gain / 40), 2 * math.pi * hz / SAMPLE_RATE_HZ
    c, alpha = math.cos(w), math.sin(w) / (2 * quality)
    s = 2 * math.sqrt(a) * alpha
    if kind == "peak":
        return [1 + alpha * a, -2 * c, 1 - alpha * a], [1 + alpha / a, -2 * c, 1 - alpha / a]
    if kind == "low shelf":
        return (
            [a * (a + 1 - (a - 1) * c + s), 2 * a * (a - 1 - (a + 1) * c),
             a * (a + 1 - (a - 1) * c - s)],
            [a + 1 + (a - 1) * c + s, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - s],
        )  # fmt: skip
    return (
        [a * (a + 1 + (a - 1) * c + s), -2 * a * (a - 1 + (a + 1) * c),
         a * (a + 1 + (a - 1) * c - s)],
        [a + 1 - (a - 1) * c + s, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - s],
    )  # fmt: skip


def by_scipy(values: list[float]) -> np.ndarray:
    """Return the response of one setting, filter by filter."""
    shelf = math.sqrt(0.5)
    bands: list[tuple[str, float, float, float]] = [
        ("low shelf", values[0], values[1], shelf),
        *(("peak", values[n], values[n + 1], values[n + 2]) for n in (2, 5, 8)),
        ("high shelf", values[11], values[12], shelf),
    ]
    total = np.zeros(len(HZ))
    for kind, gain, hz, quality in bands:
        b, a = cookbook(kind, gain, hz, quality)
        total += 20 * np.log10(np.abs(signal.freqz(b, a, worN=HZ, fs=SAMPLE_RATE_HZ)[1]))
    return total


@pytest.mark.parametrize(("dtype", "db"), [(torch.float64, 1e-8), (torch.float32, 1e-4)], ids=str)
def test_curves_are_those_of_scipy(dtype: torch.dtype, db: float) -> None:
    units = torch.rand(20, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    settings = EqUnits(units).decode()
    expected = np.stack([by_scipy(row) for row in settings.values.tolist()])
    found = response_db(EqSettings(settings.values.to(dtype)), points=128)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.numpy(), expected, atol=db)


def test_no_gain_is_a_flat_line_whatever_the_rest() -> None:
    units = torch.rand(8, 13, generator=torch.Generator().manual_seed(1))
    values = EqUnits(units).decode().values
    values[:, [0, 2, 5, 8, 11]] = 0.0
    flat = response_db(EqSettings(values), points=64)
    torch.testing.assert_close(flat, torch.zeros(8, 64), atol=1e-6, rtol=0.0)


def test_a_peak_has_its_gain_at_its_frequency_and_a_shelf_half_of_it() -> None:
    values = torch.tensor([[12.0, 1000.0, 0, 500, 1, 0, 500, 1, 0, 500, 1, 0, 9000]]).double()
    at_corner = np.argmin(np.abs(HZ - 1000.0))
    shelf = response_db(EqSettings(values), points=128)[0]
    assert float(shelf[0]) == pytest.approx(12.0, abs=1e-2)
    assert float(shelf[at_corner]) == pytest.approx(6.0, abs=0.3)
    peak = torch.tensor([[0, 500, -9.0, 1000, 4, 0, 500, 1, 0, 500, 1, 0, 9000]]).double()
    assert float(response_db(EqSettings(peak), points=256).min()) == pytest.approx(-9.0, abs=0.1)


def test_gradients_reach_every_parameter_and_are_right() -> None:
    units = torch.rand(2, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    units.requires_grad_(True)

    def curve(shares: torch.Tensor) -> torch.Tensor:
        return response_db(EqUnits(shares).decode(), points=64)

    assert torch.autograd.gradcheck(curve, (units,))
    curve(units).square().sum().backward()
    assert units.grad is not None
    assert bool((units.grad.abs() > 1e-9).all())
