"""Tables that the documents take from the code."""

import re
import tomllib
from pathlib import Path

import griffe

from cinelex.config.nearest import valid_keys
from cinelex.config.schema import RunConfig
from cinelex.config.strict import Schedule
from docs.generate.dependencies import reasons
from docs.generate.keys import keys
from docs.generate.markdown import options_table

PART = """
class Encoder:
    def __init__(self, *, width: int, depth: int = 4, stem: str | None = None) -> None:
        '''Make it.

        Args:
            width: Given by the project.
            depth: Transformer blocks,
                one behind the other.
            stem: Name of a stem.
        '''
"""


def package_with(code: str, folder: Path) -> griffe.Object:
    (folder / "house.py").write_text(code)
    found = griffe.load("house", search_paths=[folder], docstring_parser="google")
    assert isinstance(found, griffe.Object)
    return found


def test_every_key_of_a_config_stands_on_the_page(tmp_path: Path) -> None:
    page = keys(package_with(PART, tmp_path))
    said = set(re.findall(r"^(?:\| |## )`([a-z_.0-9]+)`", page, re.MULTILINE))
    scheduled = {
        f"{above}.{key}": key
        for above in ("temperature", "masked_modeling.ema")
        for key in Schedule.model_fields
    }
    of_parts = (".name", ".options")
    wanted = [key for key in valid_keys(RunConfig) if not key.endswith(of_parts)]
    # choices of their own, and no part's
    wanted += ["optimizer.name", "balance.name", "balance.options"]
    assert said == {scheduled.get(key, key) for key in wanted}


def test_options_stand_with_type_default_and_meaning_and_what_is_given_does_not(
    tmp_path: Path,
) -> None:
    encoder = package_with(PART, tmp_path)["Encoder"]
    assert options_table(encoder).splitlines()[2:] == [
        "| `depth` | `int` | `4` | Transformer blocks, one behind the other. |",
        "| `stem` | `str | None` | `None` | Name of a stem. |",
    ]


def test_every_dependency_says_why_it_is_there() -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text())["project"]
    wanted = {"dependencies": project["dependencies"], **project["optional-dependencies"]}
    found = reasons(pyproject.read_text())
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(listed) for name, listed in wanted.items()
    }
    assert [package for rows in found.values() for package, why in rows if not why] == []
