"""Each form decodes to the other, exactly once, and nothing leaves its range."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.data.eq.codec import EqSettings, EqUnits
from cinelex.data.eq.parameters import GAIN_OF, PARAMETERS, places_of

SHARES = st.lists(st.floats(0.0, 1.0), min_size=13, max_size=13)
PHYSICAL = st.tuples(*(st.floats(item.low, item.high) for item in PARAMETERS))
ANY = st.lists(st.floats(allow_nan=False, allow_infinity=True, width=32), min_size=13, max_size=13)


def units(*rows: list[float]) -> EqUnits:
    return EqUnits(torch.tensor(rows, dtype=torch.float64))


@settings(max_examples=60, deadline=None)
@given(SHARES)
def test_units_survive_decoding_and_encoding(shares: list[float]) -> None:
    there = units(shares)
    torch.testing.assert_close(there.decode().encode().values, there.values, atol=1e-12, rtol=0.0)


@settings(max_examples=60, deadline=None)
@given(PHYSICAL)
def test_settings_survive_encoding_and_decoding(values: tuple[float, ...]) -> None:
    here = EqSettings(torch.tensor([values], dtype=torch.float64))
    torch.testing.assert_close(here.encode().decode().values, here.values, rtol=1e-11, atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(SHARES, st.integers(0, 12), st.floats(0.0, 1.0))
def test_decoding_rises_with_each_share_and_with_no_other(
    shares: list[float], place: int, other: float
) -> None:
    moved = list(shares)
    moved[place] = other
    first, second = units(shares, moved).decode().values
    assert (float(second[place]) - float(first[place])) * (other - shares[place]) >= 0
    rest = torch.arange(13) != place
    assert torch.equal(first[rest], second[rest])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(max_examples=60, deadline=None)
@given(ANY)
def test_whatever_is_decoded_is_inside_its_range(dtype: torch.dtype, shares: list[float]) -> None:
    values = EqUnits(torch.tensor([shares], dtype=dtype)).decode().values[0]
    low = torch.tensor([item.low for item in PARAMETERS], dtype=dtype)
    high = torch.tensor([item.high for item in PARAMETERS], dtype=dtype)
    assert bool(((values >= low) & (values <= high)).all())


def test_the_formulas_of_the_codec_by_hand() -> None:
    middle = units([0.5] * 13).decode().values[0].tolist()
    for value, item in zip(middle, PARAMETERS, strict=True):
        expected = 0.0 if item.kind == "gain" else math.sqrt(item.low * item.high)
        assert value == pytest.approx(expected, abs=1e-12)
    g, f, q = 6.0, 82.0 * (3900.0 / 82.0) ** 0.25, 1.0
    values = [0.0, 22.0, g, f, q, 0.0, 180.0, 0.1, 0.0, 220.0, 0.1, -12.0, 20000.0]
    encoded = EqSettings(torch.tensor([values], dtype=torch.float64)).encode().values[0]
    assert encoded.tolist() == pytest.approx(
        [0.5, 0.0, 0.75, 0.25, 0.5, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0]
    )


def test_neither_direction_can_be_taken_twice() -> None:
    assert not hasattr(units([0.5] * 13).decode(), "decode")
    assert not hasattr(units([0.5] * 13).decode().encode(), "encode")


@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_setting_outside_its_range_is_named(place: int) -> None:
    values = torch.tensor([[item.low for item in PARAMETERS]])
    values[0, place] = PARAMETERS[place].high * 1.5
    with pytest.raises(ValueError, match=PARAMETERS[place].name):
        EqSettings(values).encode()


def test_parameters_stand_in_the_order_of_the_file() -> None:
    assert [item.name for item in PARAMETERS[:5]] == [
        "gain 1", "frequency 1", "gain 2", "frequency 2", "Q 2",
    ]  # fmt: skip
    assert places_of("gain") == (0, 2, 5, 8, 11)
    assert places_of("frequency") == (1, 3, 6, 9, 12)
    assert places_of("quality") == (4, 7, 10)
    assert GAIN_OF == (0, 0, 2, 2, 2, 5, 5, 5, 8, 8, 8, 11, 11)
    assert [PARAMETERS[place].low for place in places_of("frequency")] == [22, 82, 180, 220, 580]
