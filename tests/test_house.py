"""The house rules that no linter holds."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from cinelex.config.load import load_config
from cinelex.core.extras import EXTRAS

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.name for path in (ROOT / "cinelex").iterdir() if path.is_symlink())
MAX_LINES = 250
STILL_LONGER = {
    "benchmarks/starting_defects.py",
    "tests/doctor/claims/test_claims.py",
    "tests/doctor/conftest.py",
    "tests/doctor/logs/test_ledger.py",
    "tests/doctor/report/test_page.py",
    "tests/sweeps/test_driver.py",
}
"""Files to be parted when they next change; none may join them."""
OF_READERS = {
    *("benchmarks", "docs", "tests", ".ci", ".gitignore"),
    *("CHANGELOG.md", "CITATION.cff", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "Containerfile"),
    *(".containerignore", ".github", "LICENSE", "README.md", "SECURITY.md"),
    *("mkdocs.yml", "pyproject.toml", "requirements.lock", "setup.py"),
}
"""What lies at top level beside the package and its rooms."""
MAX_BYTES = 600_000
PART_OF = {
    "datasets": "evaluate",
    "starlette": "fastapi",
    "markupsafe": "jinja2",
    "pydantic-core": "pydantic",
}
"""What is imported and comes with a dependency, at the version that this one wants."""
OF_DEVELOPERS = ("docs", "setup", "test")
"""Extras of which the package imports nothing."""


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def shell_scripts() -> list[Path]:
    return [*(ROOT / "scripts").rglob("*.sh"), *(ROOT / "scripts").rglob("*.sbatch")]


def python_files() -> list[Path]:
    """Return the files of the package, its tests and benchmarks."""
    folders = ("cinelex", *ROOMS, "benchmarks", "tests")
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def tracked() -> list[Path]:
    """Return the files that git keeps, without what was deleted and not committed yet."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no clone of git")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.exists()]


def distributions(names: Sequence[str]) -> set[str]:
    """Return the normalised names of what requirements or distributions are called."""
    return {re.split(r"[<>=!~;\[ ]", name)[0].lower().replace("_", "-") for name in names}


def imported() -> set[str]:
    """Return the distributions that the package imports, wherever in a file it does."""
    modules = set()
    for path in python_files():
        if path.relative_to(ROOT).parts[0] in ("cinelex", *ROOMS):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.split(".")[0] for alias in node.names}
                if isinstance(node, ast.ImportFrom) and node.module:
                    modules.add(node.module.split(".")[0])
    known = packages_distributions()
    others = modules - sys.stdlib_module_names - {"cinelex"}
    return distributions([name for module in others for name in known.get(module, [module])])


def test_every_shipped_config_loads_and_has_a_folder_of_its_own() -> None:
    shipped = (ROOT / "config").rglob("*.yaml")
    names = [load_config(path).name for path in shipped if not path.name.startswith("sweep_")]
    assert len(set(names)) == len(names) > 1


def test_no_file_becomes_longer_than_one_can_read_at_once() -> None:
    longer = {
        path.relative_to(ROOT).as_posix(): lines
        for path in python_files()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert longer.keys() <= STILL_LONGER, longer


def test_nothing_lies_at_top_level_that_the_design_does_not_draw() -> None:
    there = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert there - {"cinelex", *ROOMS, *OF_READERS} == set()


def test_no_large_file_is_tracked() -> None:
    large = [path.name for path in tracked() if path.stat().st_size > MAX_BYTES]
    assert large == []


def test_no_room_can_be_imported_by_its_own_name() -> None:
    banned = pyproject()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert sorted(banned) == ROOMS


def test_every_shell_script_parses_and_stops_at_the_first_failure() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    scripts = shell_scripts()
    assert len(scripts) > 5
    for script in scripts:
        subprocess.run([bash, "-n", str(script)], check=True)
        content = script.read_text()
        assert "\nset -euo pipefail\n" in content or not content.startswith("#!"), script


def test_the_lock_pins_every_package_by_hash_and_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash)", lock, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert len(entries) > 100
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+( ;[^\\]+)? \\\n +--hash=sha256:[0-9a-f]{64}", entry)


def test_the_lock_holds_every_dependency() -> None:
    project = pyproject()["project"]
    extras = project["optional-dependencies"].values()
    locked = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M)
    assert distributions(project["dependencies"]).union(*map(distributions, extras)) <= set(locked)


def test_what_is_imported_is_a_dependency_and_every_dependency_is_imported() -> None:
    dependencies = distributions(pyproject()["project"]["dependencies"])
    used = imported()
    extras = pyproject()["project"]["optional-dependencies"]
    asked_for = set().union(
        *(distributions(extras[name]) for name in extras if name not in OF_DEVELOPERS)
    )
    assert used - PART_OF.keys() - asked_for <= dependencies
    assert dependencies <= used
    assert dependencies.isdisjoint(asked_for)


def test_a_missing_library_of_an_extra_is_said_to_be_of_that_extra() -> None:
    extras = pyproject()["project"]["optional-dependencies"]
    known = packages_distributions()
    for module, extra in EXTRAS.items():
        homes = distributions(known.get(module, [module]))
        if extra in extras:
            assert homes & distributions(extras[extra]), module
