"""Two processes with the same global batch are one process, to rounding."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.processes import meeting_point
from cinelex.doctor.run_files import read_run
from cinelex.projects import PROJECTS, open_project
from tests.projects.ranks_worker import (
    CONFIG_OF_PROJECT,
    GRADIENT_BATCH,
    MICRO_BATCHES,
    SHARDED,
    TRAINED,
    WHOLE,
    gradient_command,
    measure,
    overrides_of,
)
from tests.ranks import PATIENCE_S, run_on_ranks
from tests.tiny_run import FinishedRun, arguments, rows, succeed

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)

TOLERANCE = 1e-5
"""Relative."""
LEARNED = {"multitask": ("learn_temperature=true",)}
"""What makes every parameter of a project learn."""


def largest_difference(
    found: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> tuple[str, float]:
    """Return the term or gradient that differs most, and by which share of its length.

    Some gradients are 0 in exact arithmetic, such as those of the keys' biases; those are measured
    by a thousandth of the longest gradient.
    """
    assert found.keys() == expected.keys()
    longest = max(float(value.norm()) for name, value in expected.items() if "gradient/" in name)
    differences = {
        name: float((found[name] - value).norm())
        / max(float(value.norm()), 1e-3 * longest if "gradient/" in name else 0.0)
        for name, value in expected.items()
    }
    return max(differences.items(), key=lambda item: item[1])


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, study_cache: Path, finished_run: FinishedRun
) -> Path:
    """Where two processes left what they measured and trained."""
    assert finished_run.path.exists(), "the studies were made by it"
    folder: Path = tmp_path_factory.mktemp("two")
    places = [meeting_point() for _ in range(2 * len(PROJECTS))]
    ports = [str(place.port) for place in places]
    run_on_ranks("tests.projects.ranks_worker", str(folder), str(study_cache), *ports, world=2)
    return folder


def test_every_project_has_a_config_here() -> None:
    assert CONFIG_OF_PROJECT.keys() == PROJECTS.keys()


@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_terms_and_gradients_equal_those_of_one_process(
    two: Path, study_cache: Path, tmp_path: Path, project: str
) -> None:
    command = gradient_command(tmp_path, study_cache, project)
    alone = measure(overrides_of(command), tmp_path / "alone", config=CONFIG_OF_PROJECT[project])
    assert {name for name in alone if name.startswith("term/")} == {
        f"term/{term}" for term in PROJECTS[project].terms
    }
    for micro_batches in MICRO_BATCHES:
        for rank in (0, 1):
            found = load_file(two / f"{project}-{micro_batches}-{rank}.safetensors")
            name, difference = largest_difference(found, alone)
            assert difference <= TOLERANCE, (micro_batches, rank, name)


@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_a_batch_cut_into_micro_batches_has_the_terms_and_gradients_of_the_whole(
    finished_run: FinishedRun, study_cache: Path, tmp_path: Path, project: str
) -> None:
    assert finished_run.path.exists(), "the studies were made by it"
    command = gradient_command(tmp_path, study_cache, project, *LEARNED.get(project, ()))
    config = CONFIG_OF_PROJECT[project]
    alone = measure(overrides_of(command), tmp_path / "alone", config=config)
    for micro_batches in (2, GRADIENT_BATCH):
        found = measure(
            overrides_of(command), tmp_path / "alone", config=config, micro_batches=micro_batches
        )
        name, difference = largest_difference(found, alone)
        assert difference <= TOLERANCE, (micro_batches, name)


@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_two_processes_train_evaluate_and_record_once(
    two: Path, study_cache: Path, tmp_path: Path, project: str
) -> None:
    own = ("name=alone", "steps=2", *TRAINED.get(project, ()))
    succeed(arguments(tmp_path, study_cache, *own, config=CONFIG_OF_PROJECT[project]))
    expected, found = rows(tmp_path / "alone"), rows(two / project)
    assert [(row["kind"], row["step"]) for row in found] == [
        (row["kind"], row["step"]) for row in expected
    ]
    for mine, theirs in zip(found, expected, strict=True):
        if mine.pop("kind") == "step":
            del theirs["kind"]
            assert mine == pytest.approx(theirs, rel=1e-4)
    assert (two / project / "results.json").exists()
    assert (two / project / "report.html").exists()
    randoms = checkpoint.read(two / project / "checkpoints" / "step-2", "random")
    assert sorted(randoms) == ["0.cpu", "1.cpu"]


@pytest.mark.parametrize("project", sorted(PROJECTS.keys() - WHOLE))
def test_a_run_that_is_spread_over_processes_has_its_facts_and_trains(
    two: Path, project: str
) -> None:
    run = read_run(two / f"{project}{SHARDED}")
    assert [row["step"] for row in run.steps] == [1, 2]
    assert run.results
    assert run.diagnostics["parameters/unmoved"] == run.diagnostics["terms/without_gradient"] == []
    assert run.diagnostics["optimizer/ungrouped"] == run.diagnostics["optimizer/twice"] == []
    assert run.diagnostics["towers/terms"]
    assert not any("gradient/norm" in key or "embedding/" in key for key in run.steps[0])


def test_a_teacher_that_is_spread_over_processes_follows_as_a_whole_one(two: Path) -> None:
    spread, whole = (
        checkpoint.read(two / f"multitask{name}" / "checkpoints" / "step-2", "model")
        for name in (SHARDED, "")
    )
    teacher = [name for name in whole if name.startswith("companions.latent_teacher.")]
    assert teacher
    for name in teacher:
        torch.testing.assert_close(spread[name], whole[name], rtol=1e-4, atol=1e-5)
    sharded, replicated = (read_run(two / f"multitask{n}").steps[-1] for n in (SHARDED, ""))
    assert sharded["teacher/distance"] == pytest.approx(replicated["teacher/distance"], rel=1e-3)
    assert sharded["teacher/distance"] > 0


def test_the_batch_was_ragged(study_cache: Path, tmp_path: Path) -> None:
    command = arguments(tmp_path, study_cache, "name=alone", f"batch={GRADIENT_BATCH}")
    config = load_config(CONFIG_OF_PROJECT["multitask"], overrides_of(command))
    batch = next(open_project(config, tmp_path / "alone").batches(0))
    clips = torch.bincount(batch.owner)
    assert len(set(clips.tolist())) > 1
    lengths = (batch.token_ids != batch.token_ids[0, -1]).sum(1)
    assert len(set(lengths.tolist())) > 1
