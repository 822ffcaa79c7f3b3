"""How a setting sounds: its gain over frequency, from the biquads that an equalizer is made of."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.data.eq.codec import EqSettings
from cinelex.data.eq.parameters import BANDS, UNITS, places_of

SAMPLE_RATE_HZ = 48000.0
LOWEST_HZ, HIGHEST_HZ = 20.0, 20000.0
SHELF_QUALITY = math.sqrt(0.5)
"""Quality factor of both shelves: the steepest without a bump (a shelf slope of 1)."""

Polynomial = tuple[Tensor, Tensor, Tensor]
"""Coefficients of z^0, z^-1, z^-2."""


def frequencies(points: int) -> Float[Tensor, " point"]:
    """Return frequencies in Hz, evenly spaced in their logarithm, from 20 Hz to 20 kHz."""
    ends = math.log(LOWEST_HZ), math.log(HIGHEST_HZ)
    return torch.linspace(*ends, points, dtype=torch.float64).exp()


def response_db(settings: EqSettings, *, points: int) -> Float[Tensor, "setting point"]:
    """Return the gain of each setting, in dB, at ``points`` frequencies from 20 Hz to 20 kHz.

    Computed in float64, because at 22 Hz the coefficients differ from a flat filter's in the
    seventh digit; returned in the settings' own dtype, with gradients.

    Source: Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
    """
    values = settings.values.double()
    hz = frequencies(points).to(values.device)
    # sin^2(w/2) keeps the digits that 1 - cos(w) would lose at low frequencies
    phi = (math.pi * hz / SAMPLE_RATE_HZ).sin().square()
    total = values.new_zeros(len(values), points)
    for band, (gain, frequency, quality) in enumerate(_bands(values)):
        kind = -1 if band == 0 else 1 if band == len(BANDS) - 1 else 0
        above, below = _shelf(gain, frequency, kind) if kind else _peak(gain, frequency, quality)
        total = total + 10 * (_power(above, phi) / _power(below, phi)).log10()
    return total.to(settings.values.dtype)


def _bands(values: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return gain, frequency and quality factor of each band, as columns."""
    shelf = values.new_full((len(values), 1), SHELF_QUALITY)
    gains, hertz, peaks = (values[:, list(places_of(kind))].split(1, 1) for kind in UNITS)
    return list(zip(gains, hertz, (shelf, *peaks, shelf), strict=True))


def _peak(gain: Tensor, frequency: Tensor, quality: Tensor) -> tuple[Polynomial, Polynomial]:
    """Return numerator and denominator of a peaking filter."""
    amplitude, angle = 10 ** (gain / 40), 2 * math.pi * frequency / SAMPLE_RATE_HZ
    alpha, middle = angle.sin() / (2 * quality), -2 * angle.cos()
    return (
        (1 + alpha * amplitude, middle, 1 - alpha * amplitude),
        (1 + alpha / amplitude, middle, 1 - alpha / amplitude),
    )


def _shelf(gain: Tensor, frequency: Tensor, side: int) -> tuple[Polynomial, Polynomial]:
    """Return numerator and denominator of a shelf: ``side`` is -1 for a low one, 1 for a high one.

    The cookbook's two pairs of formulas differ in the sign of the cosine alone.
    """
    amplitude, angle = 10 ** (gain / 40), 2 * math.pi * frequency / SAMPLE_RATE_HZ
    cosine = side * angle.cos()
    slope = 2 * amplitude.sqrt() * angle.sin() / (2 * SHELF_QUALITY)
    up, down = amplitude + 1, amplitude - 1
    return (
        (
            amplitude * (up + down * cosine + slope),
            -2 * side * amplitude * (down + up * cosine),
            amplitude * (up + down * cosine - slope),
        ),
        (up - down * cosine + slope, 2 * side * (down - up * cosine), up - down * cosine - slope),
    )


def _power(polynomial: Polynomial, phi: Tensor) -> Tensor:
    """Return the squared magnitude of a polynomial on the unit circle, with phi = sin^2(w/2)."""
    b0, b1, b2 = polynomial
    flat = (b0 + b1 + b2).square()
    return flat - 4 * (b0 * b1 + 4 * b0 * b2 + b1 * b2) * phi + 16 * b0 * b2 * phi.square()
