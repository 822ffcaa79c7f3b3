"""D23 and D24 name the wiring that wrote 1.6 MHz, with its numbers, and let the codec's pass."""

import pytest
import torch

from cinelex.data.eq.parameters import PARAMETERS, places_of
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, render
from cinelex.losses.grouped_error import GroupedError
from cinelex.projects.interface.results import Results
from tests.doctor.historical_eq import WROTE_HZ, Historical, train_historical

FLOOR = (22**2 + 82**2 + 180**2 + 220**2 + 580**2) / 13 + 1
RULES = ("D23", "D24")


@pytest.fixture(scope="module")
def history() -> Historical:
    return train_historical()


def named(results: dict[str, object]) -> dict[str, Finding]:
    """Return what the two rules say about an evaluation."""
    found = diagnose(Evidence(results=Results.from_json(results)))
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
    assert named(table(*rows)) == {}


def test_results_without_the_numbers_find_nothing() -> None:
    assert named({}) == {}
    assert named(table({"name": "gain"}, "odd")) == {}
    assert named({"tables": 3}) == {}


def table(*rows: object) -> dict[str, object]:
    """Return an evaluation that states these parameters."""
    return {"tables": [{"name": "parameters", "rows": list(rows)}]}


def written(**changes: float) -> dict[str, object]:
    """Return an evaluation of one gain whose outputs are in their range, but for the changes."""
    gain = {"low": -12, "high": 12, "least": 0, "greatest": 12, "target_mean": 1, "target_std": 2}
    return table({"name": "gain", "unit": "dB", **gain, **changes})


def lost(**parts: tuple[str, float]) -> dict[str, object]:
    """Return an evaluation whose loss is made of quantities with these units and shares."""
    return table(*({"name": n, "unit": u, "loss": loss} for n, (u, loss) in parts.items()))


def test_an_unbounded_head_is_not_mistaken_for_a_second_denormalisation() -> None:
    assert "unbounded" in named(written(greatest=500.0))["D23"].cause
    assert "second time" in named(written(greatest=20.0))["D23"].cause
    assert "unbounded" in named(written(greatest=20.0, target_std=0.0))["D23"].cause
    assert named(written()) == {}


def test_one_unit_alone_and_equal_shares_pass() -> None:
    assert named(lost(a=("Hz", 1e9), c=("Hz", 1.0))) == {}
    assert named(lost(a=("Hz", 9.0), b=("dB", 1.0))) == {}
    assert named(lost(a=("Hz", 0.0), b=("dB", 0.0))) == {}
    assert "50 % where all count the same" in named(lost(a=("Hz", 1e6), b=("dB", 1.0)))["D24"].null
