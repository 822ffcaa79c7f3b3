"""A trained run as one object: the same numbers as the run's own tables."""

import csv
from pathlib import Path

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
    torch.testing.assert_close(trained.encode(videos), torch.tensor(exported["study"]))
    torch.testing.assert_close(
        trained.encode_reports([report])[0], torch.tensor(exported["report"])
    )


def test_the_order_of_the_videos_does_not_matter(
    trained: TrainedRun, study: tuple[str, list[Path], str]
) -> None:
    _, videos, _ = study
    torch.testing.assert_close(trained.encode(videos), trained.encode(videos[::-1]))


def test_captions_are_those_of_inference(
    trained: TrainedRun, study: tuple[str, list[Path], str], finished_run: FinishedRun
) -> None:
    succeed([*finished_run.command, "--run_mode", "inference"])
    name, videos, _ = study
    with (finished_run.path / "predictions" / "inference.csv").open(newline="") as stream:
        told = {row["study_id"]: row["caption"] for row in csv.DictReader(stream)}
    assert trained.caption(videos) == told[name]


def test_search_returns_reports_best_first(
    trained: TrainedRun, study: tuple[str, list[Path], str]
) -> None:
    _, videos, report = study
    reports = [report, "Normal coronary arteries.", "90% stenosis of the mid LAD."]
    found = trained.search(videos, reports, count=2)
    scores = trained.encode_reports(reports) @ trained.encode(videos)
    assert [match.cosine for match in found] == scores.sort(descending=True).values.tolist()[:2]
    assert found[0].report == reports[int(scores.argmax())]


def test_what_cannot_be_read_is_named(trained: TrainedRun, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least one video"):
        trained.encode([])
    with pytest.raises(UserError, match=r"absent\.mp4"):
        trained.encode([tmp_path / "absent.mp4"])
    with pytest.raises(UserError, match=r"config\.yaml"):
        load(tmp_path)
