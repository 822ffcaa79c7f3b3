"""The house rules that no linter holds."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.metrics.nulls import (
    captioning_chance,
    infonce_chance,
    infonce_floor,
    infonce_headroom,
    sigmoid_floor,
    sigmoid_start,
    supcon_collapsed,
)
from cinelex.metrics.retrieval_nulls import RandomRanking, recall_at_chance

ROOT = Path(__file__).parents[1]
LONG_FILES: dict[str, str] = {}
"""Python files that may exceed 300 lines, each with the reason."""


def tracked(pattern: str) -> list[Path]:
    """Return the files of the repository that match, as git knows them."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    found = subprocess.run(
        [git, "-C", str(ROOT), "ls-files", "-z", "--", pattern],
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in found.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).exists()]


def table_rows(document: str, header: str) -> list[list[str]]:
    """Return the cells of the table of a Markdown file whose first row is ``header``."""
    lines = iter((ROOT / "docs" / "why" / document).read_text().splitlines())
    while next(lines) != header:
        pass
    next(lines)
    rows = []
    while (line := next(lines, "")).startswith("|"):
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def dependency_names(requirements: Sequence[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", requirement)[0].lower() for requirement in requirements}


def project_dependencies() -> dict[str, set[str]]:
    """Return the names that pyproject.toml depends on, by purpose."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return {
        "To run": dependency_names(project["dependencies"]),
        "To test": dependency_names(extras["test"]),
        "To set up": dependency_names(extras["setup"]),
    }


def test_every_shipped_config_loads() -> None:
    shipped = sorted((ROOT / "config").rglob("*.yaml"))
    runs = [path for path in shipped if not path.name.startswith("sweep_")]
    names = [load_config(path).name for path in runs]
    assert names
    assert len(set(names)) == len(names), "two configs would write into one folder"


def test_no_python_file_is_long_without_a_reason() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tracked("*.py")
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > 300}
    assert too_long.keys() <= LONG_FILES.keys(), too_long


def test_every_shell_script_parses() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    scripts = [*sorted((ROOT / "scripts").rglob("*.sh")), ROOT / ".ci" / "run"]
    for script in scripts:
        subprocess.run([bash, "-n", str(script)], check=True)


def test_every_command_stops_at_the_first_failure() -> None:
    commands = [
        path for path in (ROOT / "scripts").glob("*.sh") if path.read_text().startswith("#!")
    ]
    assert {"runner.sh", "test.sh"} <= {path.name for path in commands}
    assert all("\nset -euo pipefail\n" in path.read_text() for path in commands)


def test_ci_runs_what_people_run() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines == [
        "#!/usr/bin/env bash",
        'exec bash "$(dirname "${BASH_SOURCE[0]}")/../scripts/test.sh"',
    ]


def test_the_lock_pins_every_package_by_hash_and_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash)", lock, re.MULTILINE)
    entries = re.split(r"\n(?=[a-z0-9])", lock.strip())
    assert len(entries) > 100
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+( ;[^\\]+)? \\\n +--hash=sha256:[0-9a-f]{64}", entry)


def test_the_lock_holds_every_dependency() -> None:
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
    assert set().union(*project_dependencies().values()) <= locked


@pytest.mark.parametrize("purpose", ["To run", "To test", "To set up"])
def test_every_dependency_says_why_it_is_there(purpose: str) -> None:
    text = (ROOT / "docs" / "why" / "dependencies.md").read_text()
    section = text.split(f"## {purpose}\n")[1].split("\n## ")[0]
    explained = [
        name
        for name in re.findall(r"^\| ([a-z0-9-]+) \| .{5,} \|$", section, re.MULTILINE)
        if name != "package"
    ]
    assert sorted(explained) == sorted(project_dependencies()[purpose])


def test_the_documented_contrastive_values_are_the_computed_ones() -> None:
    header = "| N | t | InfoNCE chance | InfoNCE floor | headroom | SigLIP start | SigLIP floor |"
    rows = table_rows("numerics.md", header)
    assert len(rows) >= 5
    for row in rows:
        studies, temperature = int(row[0]), float(row[1])
        assert row[2:] == [
            f"{infonce_chance(studies):.3f}",
            f"{infonce_floor(studies, temperature):.3f}",
            f"{100 * infonce_headroom(studies, temperature):.1f} %",
            f"{sigmoid_start(studies):.3f}",
            f"{sigmoid_floor(studies, temperature):.3f}",
        ]


def test_the_documented_captioning_values_are_the_computed_ones() -> None:
    for vocabulary, chance in table_rows("numerics.md", "| V | chance |"):
        assert chance == f"{captioning_chance(int(vocabulary)):.3f}"


def test_the_documented_supervised_contrastive_values_are_the_computed_ones() -> None:
    header = "| B | collapsed | self-pair kept, all have a positive |"
    for samples, collapsed, kept in table_rows("numerics.md", header):
        assert collapsed == f"{supcon_collapsed(int(samples)):.3f}"
        assert kept == f"{supcon_collapsed(int(samples), itself=True):.3f}"


def test_the_documented_retrieval_values_are_the_computed_ones() -> None:
    header = (
        "| M | recall at 1 | recall at 5 | recall at 10 | recall at 50 "
        "| reciprocal rank | mean rank |"
    )
    for row in table_rows("numerics.md", header):
        gallery = int(row[0])
        computed = [recall_at_chance(gallery, k) for k in (1, 5, 10, 50)]
        computed += [RandomRanking(gallery).reciprocal_rank(), RandomRanking(gallery).rank()]
        assert [float(cell) for cell in row[1:]] == pytest.approx(computed, abs=5.1e-5)


def test_the_readme_has_a_line_for_every_file_of_the_house() -> None:
    tree = (ROOT / "README.md").read_text().split("## The tree")[1]
    folders = ("cinelex", "config", "core", "data", "doctor", "losses", "metrics", "models")
    named = set(re.findall(r"^  (\S+)", tree, re.MULTILINE))
    missing = [
        str(path.relative_to(ROOT))
        for folder in (*folders, "projects", "runners", "scripts")
        for path in tracked(f"{folder}/**.py")
        if path.read_text() and path.name not in named
    ]
    assert missing == []
