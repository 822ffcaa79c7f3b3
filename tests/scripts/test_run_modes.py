"""What each run mode leaves behind, on one finished run."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.data.loader import evaluation_batches
from cinelex.models.video_vit import VideoViT
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies.data import open_study_data
from cinelex.projects.studies.encoding import encode_batch, encode_studies
from cinelex.runners.evaluate import load_trained
from cinelex.runners.run_folder import RunFolder
from cinelex.scripts.main import main
from tests.tiny_run import STEPS, STUDIES, FinishedRun, rows, succeed

RETRIEVAL = {
    *(f"recall_at_{k}" for k in (1, 5, 10, 50)),
    *("mrr", "median_rank", "mean_rank", "ndcg", "map"),
}
CAPTIONING = {
    *(f"bleu{n}" for n in (1, 2, 3, 4)),
    *("rouge1", "rouge2", "rougeL"),
    *("lesion_f1_10pp", "lesion_f1_segment", "lesion_f1_vessel"),
    *("number_recall", "hallucination_rate", "omission_rate"),
}
BASELINES = {"constant_normal", "shuffled", "text_only", "nearest_report"}
VALUE = {"value", "chance", "low", "high"}


@pytest.fixture(scope="module")
def results(finished_run: FinishedRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((finished_run.path / "results.json").read_text())
    return found


def test_training_leaves_its_files(finished_run: FinishedRun) -> None:
    left = {str(path.relative_to(finished_run.path)) for path in finished_run.path.rglob("*")}
    assert left >= {
        "config.yaml",
        "manifest.lock",
        "metrics.jsonl",
        "rejects.csv",
        "report.html",
        "results.json",
        "predictions/captions.jsonl",
        "predictions/masked.png",
        "predictions/retrieval.jsonl",
        f"checkpoints/step-{STEPS}/state.json",
        f"checkpoints/step-{STEPS - 2}/state.json",
    }
    assert not list(finished_run.path.rglob("*.part*"))
    assert load_config(finished_run.path / "config.yaml").name == "tiny"


def test_every_step_is_recorded_beside_its_chance(finished_run: FinishedRun) -> None:
    steps = [row for row in rows(finished_run.path) if row["kind"] == "step"]
    assert [row["step"] for row in steps] == list(range(1, STEPS + 1))
    for row in steps:
        for term in ("contrastive", "captioning", "masked_modeling"):
            assert row[f"loss/{term}"] > 0
            assert row[f"chance/{term}"] > 0
        weighted = sum(row[f"weight/{term}"] * row[f"loss/{term}"] for term in row_terms(row))
        assert row["loss"] == pytest.approx(weighted, rel=1e-5)
        assert 0 <= row["floor/contrastive"] < row["chance/contrastive"]
        assert row.keys() >= {"learning_rate", "temperature", "grad_norm", "skipped"}


def row_terms(row: dict[str, Any]) -> list[str]:
    return [name.removeprefix("loss/") for name in row if name.startswith("loss/")]


def test_validation_is_recorded_beside_its_chance(finished_run: FinishedRun) -> None:
    found = [row for row in rows(finished_run.path) if row["kind"] == "validation"]
    assert [row["step"] for row in found] == [2, 4, 6]
    for row in found:
        for direction in ("study_to_report", "report_to_study"):
            metric = f"retrieval/{direction}/recall_at_1"
            assert 0 < row[f"{metric}/chance"] < 1
            assert 0 <= row[metric] <= 1


def test_retrieval_results_have_a_null_and_an_interval(results: dict[str, Any]) -> None:
    retrieval = results["retrieval"]
    for direction in ("study_to_report", "report_to_study"):
        assert retrieval[direction].keys() >= RETRIEVAL
        for name, entry in retrieval[direction].items():
            assert entry.keys() >= VALUE, name
            assert entry["chance"] is not None, name
    for name in ("positive_cosine", "negative_cosine", "cosine_gap"):
        assert retrieval[name].keys() >= VALUE
    assert retrieval["queries"]["study_to_report"] == STUDIES["test"]
    assert retrieval["gallery"]["report_to_study"] == STUDIES["test"]
    assert retrieval["gallery"]["study_to_report"] == retrieval["queries"]["report_to_study"]
    assert retrieval["study_to_report"]["recall_at_50"]["value"] is None, "12 reports, all in 50"


def test_every_caption_metric_stands_beside_four_baselines(results: dict[str, Any]) -> None:
    assert results["captioning"].keys() >= CAPTIONING
    for name in CAPTIONING:
        entry = results["captioning"][name]
        assert entry.keys() >= {"value", "low", "high", "baselines"}, name
        assert entry["baselines"].keys() == BASELINES, name
        assert all(null.keys() >= {"value", "low", "high"} for null in entry["baselines"].values())


def test_pixels_losses_and_geometry_have_their_nulls(results: dict[str, Any]) -> None:
    pixels = results["masked_modeling"]["pixel_mse"]
    assert 0 < pixels["noise_floor"] < pixels["predict_the_mean"]
    ratio = results["masked_modeling"]["ratio_to_the_mean"]["value"]
    assert ratio == pytest.approx(pixels["value"] / pixels["predict_the_mean"])
    assert results["losses"].keys() == {"contrastive", "captioning", "masked_modeling"}
    for name, entry in results["losses"].items():
        assert entry["value"] > 0, name
        assert entry["chance"] > 0, name
    assert results["losses"]["captioning"].keys() >= {"unigram", "other_studys_video"}
    for name, entry in results["representation"].items():
        assert entry.keys() & {"collapsed", "chance"}, name


def test_results_can_be_traced(results: dict[str, Any], finished_run: FinishedRun) -> None:
    provenance = results["provenance"]
    assert provenance.keys() == {"config", "data", "checkpoint", "code"}
    assert all(len(value) == 64 for value in provenance.values())
    lock = json.loads((finished_run.path / "manifest.lock").read_text())
    assert lock == {name: provenance[name] for name in ("config", "data", "code")}


def test_validating_again_changes_no_result(finished_run: FinishedRun) -> None:
    path = finished_run.path / "results.json"
    before = path.read_bytes()
    path.unlink()
    said = succeed([*finished_run.command, "--run_mode", "validate"])
    assert path.read_bytes() == before
    assert "report: " in said


def test_inference_describes_the_test_studies(finished_run: FinishedRun) -> None:
    succeed([*finished_run.command, "--run_mode", "inference"])
    table = read_csv(finished_run.path / "predictions" / "inference.csv")
    assert len(table) == STUDIES["test"]
    assert len({row["study_id"] for row in table}) == STUDIES["test"]
    for row in table:
        cosines = [float(row[f"nearest_{rank}_cosine"]) for rank in (1, 2, 3)]
        assert cosines == sorted(cosines, reverse=True)
        assert row["nearest_1_report"]
        assert row["nearest_1_study_id"] != row["study_id"]
        assert {"caption", "lesions"} <= row.keys()


def test_inference_needs_no_report_column(
    finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    manifest = next((study_cache / "synthetic").glob("synthetic-*/manifest.csv"))
    known = read_csv(manifest)
    chosen = [row for row in known if row["split"] == "test"]
    path = tmp_path / "unlabelled.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("study_id", "video_path"))
        writer.writerows((row["study_id"], row["video_path"]) for row in chosen)
    succeed([*finished_run.command, "--run_mode", "inference"])
    target = finished_run.path / "predictions" / "inference.csv"
    labelled = read_csv(target)
    overrides = [f"data.inference_manifest={path}", f"data.video_root={manifest.parent}"]
    succeed([*finished_run.command, "--run_mode", "inference", *overrides])
    unlabelled = read_csv(target)
    assert [row["study_id"] for row in unlabelled] == [row["study_id"] for row in labelled]
    assert unlabelled == labelled, "the reports were looked at"


def test_embeddings_are_those_of_the_model(finished_run: FinishedRun) -> None:
    succeed([*finished_run.command, "--run_mode", "embed"])
    table = pq.read_table(finished_run.path / "embeddings.parquet")
    config = load_config(finished_run.path / "config.yaml")
    folder = RunFolder(finished_run.path)
    data = open_study_data(config, folder.path)
    model, provenance = load_trained(MultitaskProject(config, data), folder, torch.device("cpu"))
    assert data.validation is not None
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert metadata == provenance
    frame = table.to_pandas()
    studies = frame[frame.kind == "study"]
    for dataset in (data.train, data.validation, data.test):
        split = dataset.studies[0].split
        own = studies[studies.split == split]
        assert own.study_id.tolist() == [study.id for study in dataset.studies]
        expected = encode_studies(model, dataset, batch=5)
        np.testing.assert_allclose(np.stack(own.embedding), expected.numpy(), atol=1e-5)
    clips = frame[(frame.kind == "clip") & (frame.split == "test")]
    expected_clips = [
        (study.id, place) for study in data.test.studies for place in range(len(study.videos))
    ]
    assert list(zip(clips["study_id"], clips["clip"], strict=True)) == expected_clips
    np.testing.assert_allclose(np.linalg.norm(np.stack(frame.embedding), axis=1), 1, atol=1e-5)
    assert (frame.kind == "report").sum() == sum(STUDIES.values())


def test_a_clip_is_embedded_as_a_study_of_its_own(finished_run: FinishedRun) -> None:
    config = load_config(finished_run.path / "config.yaml")
    folder = RunFolder(finished_run.path)
    data = open_study_data(config, folder.path)
    model, _ = load_trained(MultitaskProject(config, data), folder, torch.device("cpu"))
    if not (finished_run.path / "embeddings.parquet").exists():
        succeed([*finished_run.command, "--run_mode", "embed"])
    frame = pq.read_table(finished_run.path / "embeddings.parquet").to_pandas()
    rows_of = frame[(frame.kind == "clip") & (frame.split == "test")]
    first = next(evaluation_batches(data.test, batch=1))
    for place in range(len(first.clips)):
        alone = type(first)(
            first.study_ids,
            first.clips[place : place + 1],
            torch.zeros(1, dtype=torch.int64),
            first.token_ids,
            first.report_group,
            first.patient_group,
            first.keys[place : place + 1],
            (1,),
        )
        with torch.no_grad():
            row = encode_batch(model, alone).study[0]
        np.testing.assert_allclose(rows_of.embedding.iloc[place], row.numpy(), atol=1e-5)


def test_embedding_encodes_each_clip_once(
    finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    whole = VideoViT.forward

    def counting(self: VideoViT, clips: Tensor, *rest: Any) -> Tensor:
        seen.append(len(clips))
        return whole(self, clips, *rest)

    monkeypatch.setattr(VideoViT, "forward", counting)
    succeed([*finished_run.command, "--run_mode", "embed"])
    table = pq.read_table(finished_run.path / "embeddings.parquet")
    assert sum(seen) == table["kind"].to_pylist().count("clip")


def test_help_has_a_line_for_every_run_mode(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "morph       make the settings between two words (eq)" in said
    assert "embed       write the embeddings of studies, clips and reports (multitask); " in said


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
