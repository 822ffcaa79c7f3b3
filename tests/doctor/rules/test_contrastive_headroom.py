"""D4 catches a temperature at which the contrastive loss cannot move, and lets the rest pass."""

import math

import pytest
import torch
from torch.nn import functional as F

from cinelex.doctor.finding import render
from cinelex.doctor.rules.contrastive_headroom import (
    Loss,
    contrastive_headroom,
    headroom_at,
    learned_reach,
)


@pytest.mark.parametrize("loss", ["infonce", "siglip"])
@pytest.mark.parametrize("studies", [20, 32, 4096])
def test_the_recipe_passes(studies: int, loss: Loss) -> None:
    found = contrastive_headroom(
        studies=studies, temperature=0.07, lowest=0.07, learned=False, loss=loss
    )
    assert found is None


def test_a_divisor_with_a_multipliers_value_is_named_with_its_key_and_its_number() -> None:
    found = contrastive_headroom(studies=32, temperature=10.0, lowest=10.0, learned=False)
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
    found = contrastive_headroom(studies=20, temperature=10.0, lowest=10.0, learned=False)
    assert found is not None
    assert "less than 4 % of chance, from 2.996 to 2.896" in found.statement


def test_a_learned_temperature_that_arrives_is_a_warning_and_one_that_does_not_an_error() -> None:
    arrives = contrastive_headroom(studies=32, temperature=10.0, lowest=0.05, learned=True)
    assert arrives is not None
    assert arrives.severity == "warning"
    stays = contrastive_headroom(studies=32, temperature=10.0, lowest=7.4, learned=True)
    assert stays is not None
    assert stays.severity == "error"
    assert "7.4" in stays.cause


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
    found = contrastive_headroom(
        studies=32, temperature=10.0, lowest=10.0, learned=False, loss="siglip"
    )
    assert found is not None
    assert found.measured < 0.05


def test_one_study_has_nothing_to_tell_apart() -> None:
    found = contrastive_headroom(studies=1, temperature=0.1, lowest=0.1, learned=False)
    assert found is not None
    assert found.key == "batch"


def test_huge_batches_are_sent_to_a_temperature_that_suffices() -> None:
    found = contrastive_headroom(studies=1_000_000, temperature=10.0, lowest=10.0, learned=False)
    assert found is not None
    assert found.remedy == "At 0.1 the loss can fall from 13.816 to 3.837 nats."
