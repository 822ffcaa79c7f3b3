"""A name that no table has is refused with its key, before any data is made."""

from pathlib import Path
from typing import get_args

import pytest

from cinelex.config.load import load_config
from cinelex.config.schema import ClipseConfig, DataConfig, EvaluationConfig
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.data.images.formats import FORMATS
from cinelex.data.video.backends import BACKENDS
from cinelex.metrics.fact_schemes import FACT_SCHEMES
from cinelex.projects import check_project
from cinelex.projects.names import TABLES
from cinelex.scripts.main import main
from tests.tiny_run import MULTITASK


def refused(*overrides: str) -> str:
    """Return why a config with overrides is not accepted."""
    with pytest.raises(UserError) as caught:
        check_project(load_config(MULTITASK, overrides))
    return str(caught.value)


@pytest.mark.parametrize("key", sorted(TABLES))
def test_a_name_that_no_table_has_is_refused_with_the_known_ones(key: str) -> None:
    said = refused(f"{key}.name=zzz", *([f"{key}.options={{}}"] if "model" in key else []))
    assert key in said
    assert "'zzz'" in said or '"zzz"' in said
    assert all(name in said for name in TABLES[key])


def test_a_misspelled_name_gets_the_nearest() -> None:
    said = refused("model.video_encoder.name=vti")
    assert said.startswith("model.video_encoder: unknown name 'vti'; did you mean vit? there are ")
    assert "mvit_v2_s" in said


def test_an_option_that_an_entry_does_not_take_is_refused() -> None:
    said = refused("model.aggregator.options.depht=3", "model.aggregator.name=class_token")
    assert said.startswith("model.aggregator: class_token: unknown option 'depht'; did you mean")
    said = refused("model.video_encoder.options.depth=two")
    assert said.startswith("model.video_encoder: vit: option 'depth': expected a valid integer")


@pytest.mark.parametrize("key", ["data.decoder", "evaluation.facts", "clipse.sampler"])
def test_a_choice_that_there_is_not_is_refused_with_those_there_are(key: str) -> None:
    assert f"{key}: expected '" in refused(f"{key}=foo")


def test_the_choices_of_the_schema_are_the_entries_of_the_tables() -> None:
    def choices(section: type[DataConfig | EvaluationConfig | ClipseConfig], key: str) -> set[str]:
        return set(get_args(section.model_fields[key].annotation))

    assert choices(DataConfig, "decoder") == BACKENDS.keys()
    assert choices(EvaluationConfig, "facts") == FACT_SCHEMES.keys()
    assert choices(ClipseConfig, "format") == FORMATS.keys() | {"manifest"}


@pytest.mark.parametrize("wrong", ["data.decoder=foo", "model.video_encoder.name=vti"])
def test_nothing_is_made_for_a_config_with_an_unknown_name(
    tmp_path: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = (f"data.cache={tmp_path / 'cache'}", f"folder={tmp_path / 'runs'}")
    assert main(["--base_config", str(MULTITASK), *places, wrong]) == BAD_INPUT
    assert wrong.partition(".name=")[0].partition("=")[0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
