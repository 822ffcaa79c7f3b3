"""Two processes with the same global batch are one process, to rounding."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from config.load import load_config
from projects import PROJECTS, open_project
from tests.projects.ranks_worker import (
    CONFIG_OF_PROJECT,
    GRADIENT_BATCH,
    PATCH,
    measure,
    overrides_of,
)
from tests.ranks import run_on_ranks
from tests.tiny_run import FinishedRun, arguments, rows, succeed

TOLERANCE = 1e-5
"""Relative."""


@pytest.fixture(scope="module")
def two(
    tmp_path_factory: pytest.TempPathFactory, study_cache: Path, finished_run: FinishedRun
) -> Path:
    """Where two processes left what they measured and trained."""
    assert finished_run.path.exists(), "the studies were made by it"
    folder: Path = tmp_path_factory.mktemp("two")
    run_on_ranks("tests.projects.ranks_worker", str(folder), str(study_cache), world=2)
    return folder


def test_every_project_has_a_config_here() -> None:
    assert CONFIG_OF_PROJECT.keys() == PROJECTS.keys()


@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_terms_and_gradients_equal_those_of_one_process(
    two: Path, study_cache: Path, tmp_path: Path, project: str
) -> None:
    command = arguments(tmp_path, study_cache, "name=alone", f"batch={GRADIENT_BATCH}", PATCH)
    alone = measure(overrides_of(command), tmp_path / "alone", config=CONFIG_OF_PROJECT[project])
    assert {name for name in alone if name.startswith("term/")} == {
        "term/contrastive",
        "term/captioning",
        "term/masked_modeling",
        "term/patch_contrastive",
    }
    longest = max(float(value.norm()) for name, value in alone.items() if "gradient/" in name)
    for rank in (0, 1):
        found = load_file(two / f"{project}-{rank}.safetensors")
        assert found.keys() == alone.keys()
        for name, expected in alone.items():
            error = float((found[name] - expected).norm())
            # some gradients are 0 in exact arithmetic (keys' biases); those have the sum's scale
            scale = max(float(expected.norm()), 1e-3 * longest if "gradient/" in name else 0.0)
            assert error <= TOLERANCE * scale, (name, error, scale)


@pytest.mark.parametrize("project", sorted(PROJECTS))
def test_two_processes_train_evaluate_and_record_once(
    two: Path, study_cache: Path, tmp_path: Path, project: str
) -> None:
    succeed(
        arguments(tmp_path, study_cache, "name=alone", "steps=2", config=CONFIG_OF_PROJECT[project])
    )
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
    randoms = sorted((two / project / "checkpoints" / "step-2").glob("random-*"))
    assert [path.name for path in randoms] == ["random-0.safetensors", "random-1.safetensors"]


def test_the_batch_was_ragged(study_cache: Path, tmp_path: Path) -> None:
    command = arguments(tmp_path, study_cache, "name=alone", f"batch={GRADIENT_BATCH}")
    config = load_config(CONFIG_OF_PROJECT["multitask_pretraining"], overrides_of(command))
    batch = next(open_project(config, tmp_path / "alone").batches(0))
    clips = torch.bincount(batch.owner)
    assert len(set(clips.tolist())) > 1
    lengths = (batch.words != batch.words[0, -1]).sum(1)
    assert len(set(lengths.tolist())) > 1
