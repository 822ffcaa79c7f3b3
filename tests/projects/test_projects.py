"""A config that sets what its project does not read is refused, by the key's name."""

from pathlib import Path
from pkgutil import resolve_name

import pytest

from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.projects import PROJECTS, open_project, weight_keys
from tests.tiny_run import MULTITASK


def refused(folder: Path, *overrides: str) -> str:
    """Return why the multitask config with overrides cannot be opened."""
    with pytest.raises(UserError) as caught:
        open_project(load_config(MULTITASK, overrides), folder)
    return str(caught.value)


def test_an_unknown_project_gets_the_list(tmp_path: Path) -> None:
    said = refused(tmp_path, "project=multitusk")
    assert "multitusk" in said
    assert all(name in said for name in PROJECTS)


@pytest.mark.parametrize("term", ["descriptors", "alignment"])
def test_a_term_without_a_weight_there_is_refused(tmp_path: Path, term: str) -> None:
    said = refused(tmp_path, f"loss_weights.{term}=1")
    assert f"loss_weights.{term}: project multitask has no such term" in said
    assert "there are contrastive, captioning, masked_modeling" in said


def test_a_misspelled_term_gets_the_nearest(tmp_path: Path) -> None:
    said = refused(tmp_path, "loss_weights.captoining=1")
    assert "did you mean loss_weights.captioning?" in said


def test_a_contrast_needs_two_samples(tmp_path: Path) -> None:
    said = refused(tmp_path, "batch=1")
    assert said == "batch must be at least 2 for the contrastive term, got 1"


def test_every_entry_names_keys_that_exist() -> None:
    fields = load_config(MULTITASK).model_dump()
    for name, entry in PROJECTS.items():
        for key in entry.reads:
            section: object = fields
            for part in key.split("."):
                assert isinstance(section, dict), (name, key)
                section = section[part]


def test_weights_and_their_schedules_have_keys() -> None:
    keys = weight_keys()
    assert {"loss_weights.captioning", "loss_weights.descriptors.end"} <= set(keys)
    assert not any(".ce" in key for key in keys)


@pytest.mark.parametrize("name", PROJECTS)
def test_what_a_project_names_for_later_is_there(name: str) -> None:
    entry = PROJECTS[name]
    named = [entry.open, entry.rehearse, entry.study_model, *(m.run for m in entry.modes.values())]
    for function in named:
        if function is not None:
            assert callable(resolve_name(function.__qualname__))
