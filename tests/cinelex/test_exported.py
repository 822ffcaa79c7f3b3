"""Exports answer as the run does, prove it, and hold nothing of a patient."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cinelex import load
from cinelex.config.data_schema import ColumnsConfig
from cinelex.core.errors import UserError
from cinelex.scripts.bundle import main as bundle
from cinelex.scripts.evaluate import main as evaluate
from cinelex.scripts.export import main as export
from cinelex.trained.exported import WEIGHTS, seal
from cinelex.trained.proof import made_up
from cinelex.trained.site import read_site
from tests.scripts.test_canaries import private_strings
from tests.tiny_run import FinishedRun

pytestmark = pytest.mark.slow
BLANK = "Ġ"
"""A blank among the pieces of a tokenizer of bytes."""


@pytest.fixture(scope="module")
def exported(finished_run: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("exported") / "all"
    # elsewhere, for types that are checked at every call know no size that is still open
    command = [sys.executable, "-m", "cinelex.scripts.export", str(finished_run.path)]
    formats = ["--out", str(folder), "--formats", "safetensors,onnx,int8"]
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": root}
    told = subprocess.run(
        [*command, *formats], env=env, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    return folder


@pytest.fixture
def copied(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "moved" / "here"))


def test_a_moved_export_answers_as_the_run(finished_run: FinishedRun, copied: Path) -> None:
    run, moved = load(finished_run.path), load(copied)
    videos = [[one.numpy()] for one in made_up(run)["clips"]]
    torch.testing.assert_close(run.encode_videos(videos), moved.encode_videos(videos))
    assert run.tokenizer.encode("90% stenosis") == moved.tokenizer.encode("90% stenosis")
    texts = ["Normal coronary arteries.", "90% stenosis of the mid LAD."]
    torch.testing.assert_close(run.encode_reports(texts), moved.encode_reports(texts))


def test_the_graphs_answer_as_the_model_for_ragged_studies(copied: Path) -> None:
    model, onnx, int8 = load(copied), load(copied, engine="onnx"), load(copied, engine="int8")
    clips = [one.numpy() for one in made_up(model)["clips"]]
    studies = [clips[:1], clips[1:5], clips[:6]]
    texts = ["Normal.", "90% stenosis of the mid LAD and of the proximal circumflex artery."]
    for run, off in ((onnx, 1e-4), (int8, 5e-2)):
        for own, other in (
            (model.encode_videos(studies), run.encode_videos(studies)),
            (model.encode_reports(texts), run.encode_reports(texts)),
        ):
            torch.testing.assert_close(own, other, atol=off, rtol=0)
    assert not torch.equal(model.encode_reports(texts), int8.encode_reports(texts))


def test_a_file_that_changed_is_refused(copied: Path) -> None:
    data = bytearray((copied / WEIGHTS).read_bytes())
    data[-5] ^= 64
    (copied / WEIGHTS).write_bytes(data)
    with pytest.raises(UserError, match="is not the file that was written"):
        load(copied)


def test_weights_that_answer_otherwise_are_refused_whatever_their_hash(copied: Path) -> None:
    tensors = load_file(copied / WEIGHTS)
    tensors["study_head.weight"] += 0.05
    save_file(tensors, copied / WEIGHTS)
    seal(copied)
    with pytest.raises(UserError, match="study differs by"):
        load(copied)


def test_the_card_has_figures_nulls_and_the_cost_of_8_bit(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    for part in ("| run |", "| onnx |", "| int8 |", "chance", "## Intended use", "Study to report"):
        assert part in card


def test_a_folder_that_is_there_is_not_written_over(
    finished_run: FinishedRun, tmp_path: Path
) -> None:
    assert export([str(finished_run.path), "--out", str(tmp_path)]) == 2


def test_an_export_holds_no_sentence_id_or_path_of_a_study(
    exported: Path, finished_run: FinishedRun, study_cache: Path
) -> None:
    private = [item for item in private_strings(study_cache) if len(item.split()) != 2]
    assert len(private) > 100

    def told(path: Path) -> list[bytes]:
        content = path.read_bytes()
        return [item for item in private if item in content]

    files = [path for path in exported.rglob("*") if path.is_file()]
    assert {path.name: found for path in files if (found := told(path))} == {}
    assert told(finished_run.path / "facts.json")  # what stays behind is found where it is


def test_no_piece_of_an_exported_tokenizer_is_longer_than_a_word(exported: Path) -> None:
    pieces = json.loads((exported / "tokenizer" / "tokenizer.json").read_text())["model"]["vocab"]
    assert len(pieces) > 256
    assert [piece for piece in pieces if BLANK in piece[1:]] == []


def test_sentences_that_many_patients_share_hold_captions_to_the_facts(
    finished_run: FinishedRun, tmp_path: Path
) -> None:
    command = [str(finished_run.path), "--out", str(tmp_path / "out"), "--sentences"]
    assert export([*command, "4"]) == 2
    assert export([*command, "5"]) == 0
    run, kept = load(tmp_path / "out"), load(finished_run.path)
    assert run.fact_writer is not None
    assert kept.fact_writer is not None
    assert 0 < len(run.fact_writer.phrases.texts) < len(kept.fact_writer.phrases.texts) / 2
    assert set(run.fact_writer.phrases.texts) <= set(kept.fact_writer.phrases.texts)
    (caption,) = run.caption([[made_up(run)["clips"][0].numpy()]])
    fixed = [text for text in run.fact_writer.phrases.texts if text in caption]
    assert fixed or "stenosis" in caption


@pytest.fixture(scope="module")
def held(study_cache: Path) -> list[dict[str, str]]:
    """Return the rows of the test studies, with whole paths."""
    (manifest,) = (study_cache / "synthetic").glob("synthetic-*/manifest.csv")
    with manifest.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{**row, "video_path": str(manifest.parent / row["video_path"])} for row in rows]


def test_a_bundle_is_evaluated_elsewhere_and_only_numbers_come_out(
    finished_run: FinishedRun, held: list[dict[str, str]], tmp_path: Path
) -> None:
    assert bundle([str(finished_run.path), "--out", str(tmp_path / "made")]) == 0
    there = Path(shutil.move(tmp_path / "made", tmp_path / "elsewhere"))
    assert_nothing_of(held, there)
    site = []
    for row in held[-30:]:
        video = Path(row["video_path"])
        copy = tmp_path / f"canary-{video.name}"
        shutil.copy(video, copy)
        own = {"study_id": f"canary-{row['study_id']}", "patient_id": "canary"}
        site.append({**row, **own, "video_path": copy.name})
    with (tmp_path / "canary.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, site[0])
        writer.writeheader()
        writer.writerows(site)
    (tmp_path / "home").mkdir()
    command = [sys.executable, "-m", "cinelex.scripts.evaluate", str(there)]
    root = str(Path(__file__).parents[2])
    told = subprocess.run(
        [*command, "--manifest", str(tmp_path / "canary.csv"), "--out", str(tmp_path / "out")],
        env={**os.environ, "HOME": str(tmp_path / "home"), "PYTHONPATH": root},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {"results.json", "report.html"}
    assert_nothing_of(site, out)
    results = json.loads((out / "results.json").read_text())
    entry = results["retrieval"]["study_to_report"]["recall_at_1"]
    assert entry["chance"] == pytest.approx(1 / results["reports"])
    assert set(entry["baselines"]) == {"blank_video", "another_studys_video"}
    (flow,) = results["tables"]
    assert flow["rows"] == [{"of": "studies", "became": "evaluated", "count": results["studies"]}]
    assert entry["low"] is None  # all are of one patient, and patients are resampled


def test_frames_and_results_stay_out_of_folders_that_travel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled, out = str(tmp_path / "bundle"), str(tmp_path / "out")
    for given in (
        [bundled, "--out", f"{bundled}/out"],
        [bundled, "--out", out, "--work", bundled],
        [bundled, "--out", out, "--work", f"{out}/work"],
    ):
        assert evaluate([*given, "--manifest", "studies.csv"]) == 2
        assert "which travels; give a folder elsewhere" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ids_and_the_order_of_rows_do_not_decide_the_order_of_studies(
    finished_run: FinishedRun, held: list[dict[str, str]], tmp_path: Path
) -> None:
    run = load(finished_run.path)

    def read(name: str, rows: list[dict[str, str]]) -> tuple[list[str], list[Path]]:
        path = tmp_path / name
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        columns = ColumnsConfig(patient="patient_id")
        found, left_out = read_site(run, path, columns, cache=tmp_path / "cache")
        assert sum(left_out.values()) == 0
        return found.studies.reports, [study.videos[0] for study in found.studies]

    videos = [Path(shutil.copy(row["video_path"], tmp_path)).name for row in held[:24]]
    rows = [{**row, "video_path": video} for row, video in zip(held, videos, strict=False)]
    ids = [study for study in dict.fromkeys(row["study_id"] for row in rows)]
    new = {study: f"s{len(ids) - place:03d}" for place, study in enumerate(ids)}
    renamed = [{**row, "study_id": new[row["study_id"]]} for row in rows]
    other = sorted(renamed, key=lambda row: row["study_id"])
    assert [row["report"] for row in other] != [row["report"] for row in rows]
    assert read("one.csv", rows) == read("two.csv", other)


def assert_nothing_of(rows: list[dict[str, str]], folder: Path) -> None:
    """Search every byte of a folder for ids, paths and reports."""
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for row in rows:
        for column in ("study_id", "patient_id", "video_path", "report"):
            assert row[column].encode() not in written, column
    assert b"canary" not in written
