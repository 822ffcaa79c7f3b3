"""The schema documents every field, the shipped files obey it, and editors get the same one."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from cinelex.config.load import json_schema, load_config
from cinelex.config.nearest import nearest, nearest_key, valid_keys
from cinelex.config.schema import RunConfig
from cinelex.config.write_schema import SCHEMA_FILE
from cinelex.core.files import read_json

CLIP = Path(__file__).parents[2] / "config" / "clip"


def sections(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a section and all sections in it."""
    inner = [
        field.annotation
        for field in model.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    ]
    return {model}.union(*(sections(section) for section in inner))


def test_every_field_says_what_it_is() -> None:
    silent = [
        f"{section.__name__}.{name}"
        for section in sections(RunConfig)
        for name, field in section.model_fields.items()
        if not field.description
    ]
    assert silent == []


def test_every_default_is_valid() -> None:
    config = RunConfig(name="x", steps=2, batch=2, loss_weights={"contrastive": 1.0})
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_editors_get_the_current_schema() -> None:
    assert read_json(SCHEMA_FILE) == json_schema(), "run: python -m cinelex.config.write_schema"


def test_the_editors_schema_knows_units_and_lets_a_file_be_partial() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert "base" in schema["properties"]
    assert "required" not in schema
    assert "Divisor of the cosines" in schema["properties"]["temperature"]["description"]


def test_the_base_config_is_contrastive_alone() -> None:
    config = load_config(CLIP / "base_config.yaml")
    assert config.loss_weights == {"contrastive": 1.0}
    assert config.temperature == 0.0998
    assert not config.learn_temperature


def test_the_multitask_config_carries_the_recipe_of_the_history() -> None:
    config = load_config(CLIP / "multitask_config.yaml")
    assert config.loss_weights == {
        "contrastive": 2.0,
        "captioning": 0.3,
        "masked_modeling": 0.1,
        "facts": 10.0,
        "patch_contrastive": 0.0,
    }
    assert config.temperature == 0.1
    assert config.learn_temperature
    assert config.max_grad_norm == 1.0


def test_the_balanced_config_carries_the_winner_of_the_leaderboard() -> None:
    config = load_config(CLIP / "multitask_balanced.yaml")
    assert config.loss_weights == {
        "contrastive": 4.0,
        "captioning": 0.3,
        "masked_modeling": 0.3,
        "facts": 10.0,
        "patch_contrastive": 0.0,
    }
    assert config.temperature == 0.1
    assert config.model.video_encoder.options["stem"] == "pyramid"


def test_valid_keys_reach_into_sections_and_schedules() -> None:
    keys = valid_keys(RunConfig)
    assert len(keys) == len(set(keys))
    for key in ("seed", "data.synthetic.seed", "loss_weights", "temperature.start"):
        assert key in keys


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("sede", "seed"),
        ("data.sede", "data.synthetic.seed"),
        ("data.synthetic.sede", "data.synthetic.seed"),
        ("max_gradient_norm", "max_grad_norm"),
        ("optimizer.max_grad_norm", "max_grad_norm"),
        ("lr", "optimizer.learning_rate"),
        ("model.tempreature", "temperature"),
        ("qqqq", None),
    ],
)
def test_the_nearest_key_is_the_one_that_was_meant(key: str, meant: str | None) -> None:
    assert nearest_key(key, valid_keys(RunConfig)) == meant


def test_nothing_is_near_in_an_empty_table() -> None:
    assert nearest("vit", []) is None
