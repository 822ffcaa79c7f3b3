"""What is said of a pretrained tower's pixels and positions."""

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from cinelex.models.aggregators import MeanAggregator
from cinelex.models.temperature import Temperature
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.transformers_vision import TransformersVision
from cinelex.models.video_text import VideoText
from cinelex.projects.studies.tower_diagnostics import tower_diagnostics

PRISM = str(Path(__file__).parents[2] / "models" / "tiny_transformers")


def model(size: int = 16, **options: Any) -> VideoText:
    return VideoText(
        video_encoder=TransformersVision(
            width=8, frames=4, size=size, channels=3, pretrained=PRISM, **options
        ),
        aggregator=MeanAggregator(width=8),
        text_encoder=TextTransformer(width=8, vocab=9, max_tokens=4, depth=1, heads=2),
        dim=8,
        temperature=Temperature(start=0.1, learned=True),
    )


def test_a_tower_is_given_the_pixels_that_it_was_trained_on() -> None:
    found = tower_diagnostics(model())
    assert found["towers/video/pixels_off"] == pytest.approx(0, abs=1e-5)
    assert found["towers/video/interpolated"] == []


def test_pixels_of_others_and_pixels_normalised_twice_are_seen() -> None:
    other = tower_diagnostics(model(mean=(0.5,) * 3, std=(0.5,) * 3))
    assert other["towers/video/pixels_off"] == pytest.approx(3.0 - 1.0, abs=1e-5)
    twice = model()
    twice.video_encoder.normalize.expect(mean=0.0, std=1.0)
    assert tower_diagnostics(twice)["towers/video/pixels_off"] > 1


def test_another_grid_is_named() -> None:
    found = tower_diagnostics(model(size=24))
    assert found["towers/video/interpolated"] == ["positions from 4x2x2 to 4x3x3 tokens"]


def test_weights_that_were_initialised_again_have_not_arrived() -> None:
    own = model()
    assert tower_diagnostics(own)["towers/video/arrived"] == 1
    tower = own.video_encoder.get_submodule(own.video_encoder.trunk)
    layers = [part for part in tower.modules() if isinstance(part, nn.Linear)]
    for layer in layers:
        layer.reset_parameters()
    assert tower_diagnostics(own)["towers/video/arrived"] < 0.9


def test_positions_of_another_grid_may_differ_from_what_arrived() -> None:
    assert tower_diagnostics(model(size=24))["towers/video/arrived"] == 1
