"""What the core install can do: all that training needs, and no library of an extra."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny_run import arguments

pytestmark = pytest.mark.slow
WITHOUT = """
import sys
from cinelex.core.extras import EXTRAS
sys.modules.update(dict.fromkeys(EXTRAS))  # as if they were not installed
"""


def without_extras(code: str, *given: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT + code, *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_run_trains_and_is_evaluated_without_any_extra(study_cache: Path, tmp_path: Path) -> None:
    code = "from cinelex.scripts.main import main; sys.exit(main(sys.argv[1:]))"
    few = ("steps=2", "validate_every=2", "checkpoint_every=2", "evaluation.bootstrap=20")
    ended = without_extras(code, *arguments(tmp_path, study_cache, *few, "name=core"))
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "core" / "report.html").exists()


def test_every_project_loads_without_any_extra() -> None:
    code = """
from dataclasses import fields
from pkgutil import resolve_name
from cinelex.projects import PROJECTS
parts = [getattr(entry, f.name) for entry in PROJECTS.values() for f in fields(entry)]
named = [part.__qualname__ for part in parts if ":" in getattr(part, "__qualname__", "")]
print(len([resolve_name(name) for name in named]) >= len(PROJECTS))
"""
    ended = without_extras(code)
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr
