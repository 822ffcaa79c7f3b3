"""The level of a batch of latents cannot tell a collapsed one from a healthy one; geometry can."""

import math

import pytest
import torch
from torch import nn

from cinelex.metrics import representation
from cinelex.metrics.latent import GEOMETRY, LEVEL, bias_level, latent_statistics


def test_geometry_is_that_of_the_representation_metrics() -> None:
    rows = torch.randn(12, 7, generator=torch.Generator().manual_seed(0)) + 0.3
    found = {name: float(value) for name, value in latent_statistics(rows).items()}
    assert found.keys() == {*LEVEL, *GEOMETRY}
    assert found["rankme"] == pytest.approx(representation.rankme(rows), rel=1e-6)
    assert found["cosine"] == pytest.approx(representation.mean_off_diagonal_cosine(rows))
    assert found["uniformity"] == pytest.approx(representation.uniformity(rows))
    assert found["batch_std"] == pytest.approx(float(rows.std(0, correction=0).mean()))
    assert found["norm"] == pytest.approx(float(rows.norm(dim=1).mean()))


def test_a_collapsed_batch_can_have_the_level_of_a_healthy_one() -> None:
    generator = torch.Generator().manual_seed(1)
    row = torch.randn(64, generator=generator)
    healthy = torch.stack([row[torch.randperm(64, generator=generator)] for _ in range(32)])
    sound, sick = latent_statistics(healthy), latent_statistics(row.expand(32, 64))
    for name in LEVEL:
        assert float(sound[name]) == pytest.approx(float(sick[name]), abs=1e-6), name
    assert float(sick["batch_std"]) == pytest.approx(0, abs=1e-7)
    assert float(sick["rankme"]) == pytest.approx(1, abs=1e-5)
    assert float(sick["cosine"]) == pytest.approx(1)
    assert float(sick["uniformity"]) == pytest.approx(0, abs=1e-6)
    assert float(sound["batch_std"]) > 0.8
    assert float(sound["rankme"]) > 20
    assert abs(float(sound["cosine"])) < 0.1
    assert float(sound["uniformity"]) < -3


@pytest.mark.parametrize(
    "rows", [torch.zeros(4, 3), torch.full((4, 3), math.nan), torch.ones(1, 3)]
)
def test_a_batch_without_directions_is_recorded_and_refused_by_nobody(rows: torch.Tensor) -> None:
    assert math.isnan(float(latent_statistics(rows)["cosine"]))


@pytest.mark.parametrize(("latent", "fan_in"), [(1024, 2048), (256, 64)])
def test_an_encoder_that_says_nothing_leaves_the_bias(latent: int, fan_in: int) -> None:
    torch.manual_seed(0)
    silent = nn.Linear(fan_in, latent)(torch.zeros(8, fan_in))
    found, expected = latent_statistics(silent), bias_level(latent=latent, fan_in=fan_in)
    assert float(found["std"]) == pytest.approx(expected.std, rel=0.06)
    assert float(found["norm"]) == pytest.approx(expected.norm, rel=0.06)
    ratio = float(found["max"]) / float(found["std"])
    assert ratio == pytest.approx(expected.max_over_std, rel=0.06)


def test_a_bias_of_no_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0 and 3"):
        bias_level(latent=0, fan_in=3)
