"""The recipes: every command of every page is run, in this process and at toy size."""

import contextlib
import importlib
import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from cinelex.data.prepare import worker_pool
from cinelex.doctor.live import examination
from cinelex.doctor.report import charts
from cinelex.scripts.command import main
from cinelex.sweeps import preflight
from cinelex.sweeps.training import Slot
from docs.generate.notebook import cells, source
from tests.data.prepare.conftest import Hand
from tests.docs.toys import copy_run, make_toys, toy_size
from tests.scripts.test_slurm import submit
from tests.tiny_run import MULTITASK, FinishedRun

DOCS = Path(__file__).parents[2] / "docs"
RECIPES, NOTEBOOK = DOCS / "recipes", DOCS / "start" / "first-hour.ipynb"
FEWEST = 30
OURS = ("cinelex", "sbatch")
INSTALLS = ["pip", "install"]
TASK = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "2"}


def commands(page: Path) -> list[list[str]]:
    """Return the words of each command of a page."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


PAGES = {page.stem: found for page in sorted(RECIPES.glob("*.md")) if (found := commands(page))}


def test_recipes_hold_commands_of_this_project_alone() -> None:
    told = [words for page in PAGES.values() for words in page]
    assert len(told) >= FEWEST
    assert [words for words in told if words[0] not in OURS and words[:2] != INSTALLS] == []


@pytest.fixture(scope="module")
def toys(
    finished_run: FinishedRun, study_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a folder with everything that the recipes name, a few studies of it."""
    folder = tmp_path_factory.mktemp("recipes")
    make_toys(folder, study_cache)
    for name in ("multitask", "multitask_before"):
        copy_run(finished_run.path, folder / "runs" / name)
    return folder


@pytest.fixture(scope="module")
def done() -> set[str]:
    """Return the commands that were run; what only another seed or node repeats is run once."""
    return set()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing start a process but what decodes, and draw no chart: these have own tests."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(worker_pool, "Child", Hand)
    monkeypatch.setattr(preflight, "_run", run_here)
    monkeypatch.setattr(examination, "rank_diagnostics", lambda *_: {})
    monkeypatch.setattr(charts, "line_chart", lambda *_, **__: None)


def run_here(words: Sequence[str], slot: Slot) -> str:
    """Run a module's command in this process, in place of one of its own."""
    name = next(word for word in reversed(words) if word.startswith("cinelex."))
    rest = list(words[list(words).index(name) + 1 :])
    start = importlib.import_module(name).main
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert (start(*rest) if name.endswith("probe") else start(rest)) == 0
    return said.getvalue()


def given_to_slurm(words: list[str], folder: Path) -> list[str]:
    """Run a job script; return what a task of the job is told, as words of the command."""
    place = next(n for n, word in enumerate(words) if word.endswith(".sbatch"))
    task = TASK if "--array" in words[:place] else {}
    script, rest = Path(words[place]).name, words[place + 1 :]
    code, told, _ = submit(folder, script, *rest, ends_with=0, **task)
    assert code == 0, words
    first = "--run_mode" if "--run_mode" in told else "--base_config"
    told = told[min(n for n, word in enumerate(told) if word in (first, "seed=1")) :]
    return ["train" if first == "--base_config" else "run", *told]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_recipe_works(
    page: str,
    toys: Path,
    study_cache: Path,
    done: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(toys)
    for words in PAGES[page]:
        if words[:2] == INSTALLS:
            continue
        asked = given_to_slurm(words, toys) if words[0] == "sbatch" else words[1:]
        small = toy_size(asked, study_cache)
        key = " ".join(sorted(w for w in small if not w.startswith(("seed=", "name="))))
        if key not in done:
            done.add(key)
            sick = (
                (0, 1) if "doctor" in small else (0,)
            )  # a run of six steps is, which is said by 1
            assert main(small) in sick, (words, capsys.readouterr().err)


@pytest.mark.slow
def test_every_cell_of_the_first_hour_runs(
    toys: Path, study_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(toys)
    monkeypatch.setattr(plt, "show", plt.close)
    ours: dict[str, Any] = {}
    for cell in cells(NOTEBOOK):
        if cell["cell_type"] != "code":
            continue
        exec(compile(source(cell), str(NOTEBOOK), "exec"), ours)
        if "parameters" in cell["metadata"].get("tags", ()):
            words = ["train", "--base_config", str(MULTITASK), "name=hour", "steps=6"]
            ours["small"] = toy_size(words, study_cache)[3:]
            ours["run_folder"] = toys / "runs" / "hour"
    assert (toys / "runs" / "hour" / "report.html").exists()
    assert ours["cosines"].shape == (12, 12)
