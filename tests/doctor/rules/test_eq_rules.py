"""D23 and D24 name the wiring that wrote 1.6 MHz, with its numbers, and let the codec's pass."""

import pytest
import torch

from cinelex.data.eq.parameters import PARAMETERS, places_of
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, render
from cinelex.doctor.rules.loss_units import loss_units
from cinelex.doctor.rules.output_range import Output, output_range
from cinelex.losses.grouped_error import GroupedError
from tests.doctor.historical_eq import WROTE_HZ, Historical, train_historical

FLOOR = (22**2 + 82**2 + 180**2 + 220**2 + 580**2) / 13 + 1
RULES = ("D23", "D24")


@pytest.fixture(scope="module")
def history() -> Historical:
    return train_historical()


def named(results: dict[str, object]) -> dict[str, Finding]:
    """Return what the two rules say about an evaluation."""
    found = diagnose(Evidence(results=results))
    return {finding.rule: finding for finding in found if finding.rule in RULES}


def test_the_historical_wiring_ends_on_its_floor_and_writes_its_five_frequencies(
    history: Historical,
) -> None:
    assert round(FLOOR, 1) == 32647.8
    assert float(history.loss.mean()) == pytest.approx(FLOOR, abs=0.05)
    frequencies = history.written[list(places_of("frequency"))].tolist()
    assert frequencies == pytest.approx(WROTE_HZ, abs=0.5)


def test_the_doctor_names_the_second_denormalisation_and_the_unit_that_drowns_the_rest(
    history: Historical,
) -> None:
    found = named(history.results)
    assert set(found) == set(RULES)
    outside = found["D23"]
    assert outside.severity == "error"
    assert "denormalised a second time" in outside.cause
    assert outside.measured == pytest.approx(1625091, abs=1)
    assert outside.threshold == 20000
    assert "5 of 13 quantities" in outside.statement
    for hz in WROTE_HZ:
        assert f"{hz:.0f} Hz" in outside.statement
    assert "580 * std + mean" in outside.formula
    drowned = found["D24"]
    assert drowned.measured > 0.9999
    assert "of a loss of 32647.8" in drowned.statement
    assert "frequency 5 alone is 79.3 %" in drowned.statement
    assert "5 of 13 quantities are in Hz: 38.5 %" in drowned.null
    for finding in found.values():
        assert "\n" not in render(finding)


def test_the_codec_and_the_grouped_loss_pass() -> None:
    units = torch.rand(64, 13, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    groups = [places_of(kind) for kind in ("gain", "frequency", "quality")]
    loss = GroupedError(
        groups=groups,
        mean=units.mean(dim=0).tolist(),
        variance=units.var(dim=0, correction=0).tolist(),
    )
    constant = units.mean(dim=0).expand_as(units)
    each = loss.each(constant, units, torch.full_like(units, 1.0))
    rows = [
        {"name": item.name, "unit": item.unit or "Q", "low": item.low, "high": item.high,
         "least": item.low, "greatest": item.high, "target_mean": 0.0, "target_std": 1.0,
         "loss": float(part)}
        for item, part in zip(PARAMETERS, each, strict=True)
    ]  # fmt: skip
    assert named({"tables": [{"name": "parameters", "rows": rows}]}) == {}


def test_results_without_the_numbers_find_nothing() -> None:
    assert named({}) == {}
    rows = [{"name": "gain"}, "odd"]
    assert named({"tables": [{"name": "parameters", "rows": rows}, "odd"]}) == {}
    assert named({"tables": 3}) == {}


def output(*, greatest: float, std: float = 2.0) -> Output:
    return Output(
        name="gain", unit="dB", low=-12, high=12, least=0, greatest=greatest, target_mean=1,
        target_std=std,
    )  # fmt: skip


def test_an_unbounded_head_is_not_mistaken_for_a_second_denormalisation() -> None:
    found = output_range([output(greatest=500.0)])
    assert found is not None
    assert "unbounded" in found.cause
    twice = output_range([output(greatest=20.0)])
    assert twice is not None
    assert "second time" in twice.cause
    assert output_range([output(greatest=12.0)]) is None
    constant = output_range([output(greatest=20.0, std=0.0)])
    assert constant is not None
    assert "unbounded" in constant.cause


def test_one_unit_alone_and_equal_shares_pass() -> None:
    units = {"a": "Hz", "b": "dB"}
    assert loss_units({"a": 1e9, "c": 1.0}, {"a": "Hz", "c": "Hz"}) is None
    assert loss_units({"a": 9.0, "b": 1.0}, units) is None
    assert loss_units({"a": 0.0, "b": 0.0}, units) is None
    found = loss_units({"a": 1e6, "b": 1.0}, units)
    assert found is not None
    assert "50 % where all count the same" in found.null
