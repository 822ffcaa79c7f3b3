"""A config that sets what its project does not read is refused, by the key's name."""

from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.projects import PROJECTS, open_project
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


def test_a_term_of_another_project_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "loss_weights.descriptors=1")
    assert "loss_weights.descriptors" in said
    assert "captioning" in said


def test_every_entry_names_keys_that_exist() -> None:
    fields = load_config(MULTITASK).model_dump()
    for name, entry in PROJECTS.items():
        for key in entry.reads:
            section: object = fields
            for part in key.split("."):
                assert isinstance(section, dict), (name, key)
                section = section[part]
