"""A trained run as one object: the same numbers as the run's own tables."""

import csv
import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from cinelex import TrainedRun, load
from cinelex.core.errors import UserError
from tests.tiny_run import FinishedRun, succeed


@pytest.fixture(scope="module")
def trained(finished_run: FinishedRun) -> TrainedRun:
    return load(finished_run.path)


@pytest.fixture(scope="module")
def study(study_cache: Path) -> tuple[str, list[Path], str]:
    """Return the id, the videos and the report of a test study."""
    manifest = next((study_cache / "synthetic").glob("synthetic-*/manifest.csv"))
    with manifest.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "test"]
    chosen = [row for row in rows if row["study_id"] == rows[0]["study_id"]]
    videos = [manifest.parent / row["video_path"] for row in chosen]
    return rows[0]["study_id"], videos, rows[0]["report"]


def test_studies_and_reports_are_encoded_as_the_run_exports_them(
    trained: TrainedRun, study: tuple[str, list[Path], str], finished_run: FinishedRun
) -> None:
    succeed([*finished_run.command, "--run_mode", "embed"])
    name, videos, report = study
    table = pq.read_table(finished_run.path / "embeddings.parquet").to_pylist()
    exported = {row["kind"]: row["embedding"] for row in table if row["study_id"] == name}
    torch.testing.assert_close(trained.encode_videos([videos])[0], torch.tensor(exported["study"]))
    torch.testing.assert_close(
        trained.encode_reports([report])[0], torch.tensor(exported["report"])
    )


def test_the_order_of_the_videos_does_not_matter(
    trained: TrainedRun, study: tuple[str, list[Path], str]
) -> None:
    _, videos, _ = study
    torch.testing.assert_close(*trained.encode_videos([videos, videos[::-1]]))


def test_captions_are_those_of_inference(
    trained: TrainedRun, study: tuple[str, list[Path], str], finished_run: FinishedRun
) -> None:
    succeed([*finished_run.command, "--run_mode", "inference"])
    name, videos, _ = study
    with (finished_run.path / "predictions" / "inference.csv").open(newline="") as stream:
        told = {row["study_id"]: row["caption"] for row in csv.DictReader(stream)}
    assert trained.caption([videos]) == [told[name]]


def test_search_returns_reports_best_first(
    trained: TrainedRun, study: tuple[str, list[Path], str]
) -> None:
    _, videos, report = study
    reports = [report, "Normal coronary arteries.", "90% stenosis of the mid LAD."]
    [found] = trained.search([videos], reports, count=2)
    scores = trained.encode_reports(reports) @ trained.encode_videos([videos])[0]
    assert [match.cosine for match in found] == scores.sort(descending=True).values.tolist()[:2]
    assert found[0].report == reports[int(scores.argmax())]


def test_what_cannot_be_read_is_named(trained: TrainedRun, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="study 1: a study needs at least one video"):
        trained.encode_videos([[]])
    with pytest.raises(UserError, match=r"study 1, video 1: there is no such file") as refused:
        trained.encode_videos([[tmp_path / "absent.mp4"]])
    assert "absent" not in str(refused.value)
    with pytest.raises(UserError, match=r"config\.yaml"):
        load(tmp_path)


def test_a_batch_changes_no_study(trained: TrainedRun, study: tuple[str, list[Path], str]) -> None:
    _, videos, _ = study
    studies = [videos, videos[:1], videos[:2]]
    together, alone = trained.encode_videos(studies), trained.encode_videos(studies, batch=1)
    torch.testing.assert_close(together, alone)
    assert trained.encode_videos([]).shape == (0, trained.model.dim)


def test_frames_may_be_given_as_arrays(trained: TrainedRun) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (8, 40, 52), dtype=np.uint8)
    gray, colour = frames, np.repeat(frames[..., None], 3, axis=3)
    rows = trained.encode_videos([[gray], [torch.from_numpy(frames)], [colour]])
    torch.testing.assert_close(rows[0], rows[1])
    torch.testing.assert_close(rows[0], rows[2], atol=1e-3, rtol=0)
    with pytest.raises(UserError, match="study 1, video 1: an array must be uint8"):
        trained.encode_videos([[frames.astype(np.float32)]])


def test_facts_stand_beside_their_probability(
    trained: TrainedRun, study: tuple[str, list[Path], str]
) -> None:
    [found] = trained.facts([study[1]])
    assert {fact.attribute for fact in found} >= {"stenosis"}
    assert all(fact.probability is None or 0 <= fact.probability <= 1 for fact in found)


def test_one_text_is_no_list_of_its_letters(trained: TrainedRun) -> None:
    with pytest.raises(UserError, match="give a list of texts, also where there is only one"):
        trained.encode_reports("Normal.")


def test_prompts_share_out_one(trained: TrainedRun, study: tuple[str, list[Path], str]) -> None:
    prompts = {"normal": ["Normal.", "No stenosis."], "sick": ["90% stenosis of the mid LAD."]}
    [shares] = trained.zero_shot([study[1]], prompts)
    row = trained.encode_videos([study[1]])[0]
    means = torch.stack([trained.encode_reports(texts).mean(0) for texts in prompts.values()])
    cosines = torch.nn.functional.cosine_similarity(row[None], means)
    expected = (cosines / trained.model.temperature().detach()).softmax(0)
    torch.testing.assert_close(torch.tensor([*shares.values()]), expected)
    with pytest.raises(UserError, match="two or more"):
        trained.zero_shot([study[1]], ["Normal."])


def test_the_examples_of_the_docstrings_run(
    trained: TrainedRun,
    study: tuple[str, list[Path], str],
    finished_run: FinishedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cinelex.trained import loading, run

    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(study[1][0].read_bytes())
    monkeypatch.chdir(tmp_path)
    given = {"run": trained, "load": load, "folder": finished_run.path}
    for module, fewest in ((run, 8), (loading, 2)):
        tests = doctest.DocTestFinder().find(module, extraglobs=given)
        runner = doctest.DocTestRunner(verbose=False)
        results = [runner.run(test, clear_globs=False) for test in tests]
        assert sum(result.failed for result in results) == 0
        assert sum(result.attempted for result in results) >= fewest


def test_a_loaded_model_brings_nothing_of_training(finished_run: FinishedRun) -> None:
    asked = (
        "import sys, cinelex; cinelex.load(sys.argv[1]);"
        "print(*[name for name in sys.modules if name.split('.')[0] in"
        "('wandb', 'optuna', 'matplotlib', 'ray', 'pydicom') or name.startswith(('cinelex.runners',"
        "'cinelex.doctor', 'cinelex.sweeps', 'cinelex.scripts'))])"
    )
    command = [sys.executable, "-c", asked, str(finished_run.path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
