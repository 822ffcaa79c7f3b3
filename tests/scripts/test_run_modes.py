"""What each run mode leaves behind, on one finished run."""

import csv
import json
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from cinelex.config.load import load_config
from cinelex.scripts.main import main
from tests.tiny_run import STEPS, STUDIES, FinishedRun, call, rows, succeed

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
BASELINES = {
    *("constant_normal", "shuffled", "text_only", "nearest_report"),
    *(
        "unconstrained",
        "facts_of_blank_video",
        "true_facts",
        "constrained_without_video",
        "other_studys_facts",
    ),
    "shuffled_facts",
    *("blank_video", "shuffled_frames", "reversed_video", "first_frame", "metadata"),
}
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


def test_every_caption_metric_stands_beside_its_baselines(results: dict[str, Any]) -> None:
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
    assert results["losses"].keys() == {"contrastive", "captioning", "masked_modeling", "facts"}
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


def test_the_folder_of_a_run_means_that_run_wherever_it_was_moved(
    finished_run: FinishedRun, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("config.yaml", "metrics.jsonl"):
        copy(finished_run.path / name, moved)
    code, _, complaints = call(
        ["--base_config", str(moved), "--run_mode", "validate", "temperature=0.5"]
    )
    assert code == 2
    assert f"error: {moved} was trained with another config (temperature: " in complaints


def test_help_has_a_line_for_every_run_mode(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "morph       make the settings between two words (eq)" in said
    assert "embed       write the embeddings of studies, clips and reports (multitask); " in said


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))
