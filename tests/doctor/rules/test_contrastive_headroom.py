"""D4 catches a temperature at which the contrastive loss cannot move, and lets the rest pass."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from cinelex.config.schema import RunConfig
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, render
from cinelex.doctor.rules.contrastive_headroom import headroom_at, learned_reach
from cinelex.projects import PROJECTS
from cinelex.projects.interface.contrast import INFONCE
from cinelex.projects.interface.terms import Term


def judged(*, batch: int = 32, loss: str = "infonce", **changes: Any) -> Finding | None:
    """Return what is found in a config."""
    known = {"name": "test", "steps": 100, "loss_weights": {"contrastive": 1.0}}
    config = {**known, "batch": batch, "contrastive": {"name": loss}, **changes}
    found = diagnose(Evidence(config=RunConfig.model_validate(config)))
    assert {finding.rule for finding in found} <= {"D4"}
    return found[0] if found else None


@pytest.mark.parametrize("loss", ["infonce", "siglip"])
@pytest.mark.parametrize("studies", [20, 32, 4096])
def test_the_recipe_passes(studies: int, loss: str) -> None:
    assert judged(batch=studies, temperature=0.07, loss=loss) is None


def test_a_divisor_with_a_multipliers_value_is_named_with_its_key_and_its_number() -> None:
    found = judged(temperature=10.0)
    assert found is not None
    assert found.rule == "D4"
    assert found.severity == "error"
    assert found.key == "temperature"
    assert found.measured == pytest.approx(0.0288, abs=1e-4)
    text = render(found)
    assert "can move by less than 3 % of chance" in text
    assert "`temperature`" in text
    assert "from 3.466 to 3.366 nats" in text
    assert "\n" not in text


def test_the_number_is_what_a_perfect_model_would_gain() -> None:
    corners = torch.eye(32, dtype=torch.float64)
    simplex = F.normalize(corners - corners.mean(dim=0), dim=1)
    loss = F.cross_entropy(simplex @ simplex.T / 10.0, torch.arange(32))
    gain = (math.log(32) - loss.item()) / math.log(32)
    assert headroom_at(10.0, studies=32).share == pytest.approx(gain, abs=1e-12)


def test_a_small_batch_is_given_its_own_number() -> None:
    found = judged(batch=20, temperature=10.0)
    assert found is not None
    assert "less than 4 % of chance, from 2.996 to 2.896" in found.statement


def test_a_learned_temperature_that_arrives_is_a_warning_and_one_that_does_not_an_error() -> None:
    learned: dict[str, Any] = {"temperature": 10.0, "learn_temperature": True}
    arrives = judged(**learned, optimizer={"temperature_learning_rate": 0.2})
    assert arrives is not None
    assert arrives.severity == "warning"
    stays = judged(**learned, optimizer={"temperature_learning_rate": 6e-3})
    assert stays is not None
    assert stays.severity == "error"
    assert "Training can lower it to about 7.39" in stays.cause


def test_adam_moves_the_logarithm_of_the_temperature_no_further_than_the_rates_add_up_to() -> None:
    log_temperature = torch.tensor(math.log(10.0), requires_grad=True)
    optimizer = torch.optim.AdamW([log_temperature], lr=1e-2, weight_decay=0.0)
    for _ in range(100):
        optimizer.zero_grad()
        (1.0 * log_temperature).backward()  # a gradient of 1 throughout
        optimizer.step()
    bound = learned_reach(10.0, rate_sum=1.0, least=0.01)
    assert log_temperature.exp().item() == pytest.approx(bound, rel=1e-3)
    assert learned_reach(10.0, rate_sum=100.0, least=0.01) == 0.01


def test_the_sigmoid_loss_is_judged_by_its_own_floor() -> None:
    found = judged(temperature=10.0, loss="siglip")
    assert found is not None
    assert found.measured < 0.05


def test_huge_batches_are_sent_to_a_temperature_that_suffices() -> None:
    found = judged(batch=1_000_000, temperature=10.0)
    assert found is not None
    assert found.remedy == "At 0.1 the loss can fall from 13.816 to 3.837 nats."


def test_a_contrast_that_a_project_adds_is_judged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule knows no term by name: it asks the project's table."""
    added = Term(name="captioning", label="", unit="", contrast=lambda config: INFONCE)
    project = PROJECTS["multitask"]
    hot: dict[str, Any] = {"temperature": 10.0, "loss_weights": {"captioning": 1.0}}
    assert judged(**hot) is None
    monkeypatch.setitem(
        PROJECTS, "multitask", replace(project, terms={**project.terms, "captioning": added})
    )
    assert judged(**hot) is not None
