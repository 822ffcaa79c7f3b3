"""The whole road over the synthetic hospital, held against its truth."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks.road import join
from benchmarks.road_canaries import Canaries, search
from benchmarks.road_checks import Checks
from benchmarks.road_masks import check_previews
from cinelex.data.prepare.settings import SplitSettings
from cinelex.metrics.facts.parse import read
from tests.data.prepare.exports import SURE, UNSURE, run, tables
from tests.tiny_run import arguments, succeed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prepared(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("prepared") / "out"
    run(hospital / "export", out, SURE, reports=hospital / "reports.csv", read_facts=read)
    return out


@pytest.fixture(scope="module")
def joined(hospital: Path, prepared: Path) -> pd.DataFrame:
    """The ledger beside the truth, a row a file."""
    originals = pd.read_parquet(prepared / "private" / "originals.parquet")
    originals["path"] = [path.decode() for path in originals["path"]]
    truth = pd.read_parquet(hospital / "truth" / "files.parquet")
    ledger = tables(prepared)[0].merge(originals[["file", "path"]], on="file")
    return truth.merge(ledger, on="path", how="outer", suffixes=("_true", ""), indicator=True)


def test_every_file_is_in_the_ledger_as_what_it_is(joined: pd.DataFrame) -> None:
    assert (joined["_merge"] == "both").all()
    for kind, true, also in zip(
        joined["kind"], joined["kind_true"], joined["also_ok"].fillna(""), strict=True
    ):
        assert kind == true or kind in also.split(";")


def test_of_equal_cines_one_is_kept(joined: pd.DataFrame) -> None:
    cines = joined[(joined["kind"] == "cine")]
    group = cines["duplicate_of"].fillna(cines["path"])
    assert ((cines["decision"] == "kept").groupby(group).sum() == 1).all()


def test_times_reports_and_columns_are_those_of_the_truth(
    hospital: Path, prepared: Path, joined: pd.DataFrame
) -> None:
    manifest = tables(prepared)[1]
    kept = joined[joined["decision"] == "kept"]
    studies = pd.read_parquet(hospital / "truth" / "studies.parquet").set_index("study")
    rows = manifest.set_index("video_path")
    assert len(kept) == len(rows) > 0
    for row in kept.to_dict("records"):
        ours, study = rows.loc[f"store:{row['cine']}"], studies.loc[row["study"]]
        times, true = ours["frame_times_ms"], row["frame_times_ms"]
        assert (times is None) == (true is None)
        assert times is None or times.tolist() == pytest.approx(list(true))
        assert (ours["report"] or "").startswith(study["report"] or "")
        for column in ("age", "sex", "manufacturer", "model", "modality"):
            assert ours[column] == study[column], column


def test_no_name_id_or_date_leaves_the_private_folder(hospital: Path, prepared: Path) -> None:
    canaries = json.loads((hospital / "truth" / "canaries.json").read_text())
    texts = [c["text"] for c in canaries if c["kind"] != "study_date"]
    assert len(texts) > 50
    for path in prepared.rglob("*"):
        if path.is_file() and "private" not in path.relative_to(prepared).parts:
            data = path.read_bytes()
            if path.suffix == ".parquet":
                data += pq.read_table(path).to_pandas().to_csv().encode()
            assert not [text for text in texts if text.encode() in data], path.name


BY_TIME = SplitSettings(by="time", val_from="2019-01-01", test_from="2020-01-01")
"""The periods of the made-up hospital."""
LEFT_BY_A_RUN = (
    "*.safetensors", "*.wandb", "debug*.log", "report.html", "results.json", "metrics.jsonl",
    "config.yaml", "doctor.json", "predictions/*", "tokenizer/*", "said.log",
)  # fmt: skip


def test_no_name_id_or_date_reaches_what_a_run_leaves(
    hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of file is searched: what is put into one of each is found."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    out, runs, table = tmp_path / "out", tmp_path / "runs", hospital / "reports.csv"
    settings = replace(SURE, splits=BY_TIME)
    run(hospital / "export", out, settings, reports=table, read_facts=read)
    given = (f"data.manifest={out / 'manifest.parquet'}", "data.columns.patient=patient_id")
    short = ("name=run", "steps=2", "batch=2", "evaluation.max_new_tokens=4", "--use_wandb", "true")
    said = succeed(arguments(runs, runs / "cache", *given, *short))
    (runs / "said.log").write_text(said)
    canaries = json.loads((hospital / "truth" / "canaries.json").read_text())
    known = Canaries.of(canaries)
    assert search(known, [out, runs]).hits == []
    planted = [next(runs.rglob(pattern)) for pattern in LEFT_BY_A_RUN]
    name = next(canary["text"] for canary in canaries if "ö" in canary["text"])
    for path in planted:
        with path.open("ab") as stream:
            stream.write(f"\n{name}\n".encode())
    found = {(runs / where).resolve() for where, _, _ in search(known, [runs]).hits}
    assert found == {path.resolve() for path in planted}  # W&B links to its logs


def test_pictures_on_the_review_page_are_of_masked_frames(hospital: Path, tmp_path: Path) -> None:
    run(hospital / "export", tmp_path / "out", UNSURE)
    files = join(hospital, tmp_path / "out")
    waiting = files[files["ledger_decision"] == "pending"]
    assert len(waiting) > 10

    def failed() -> bool:
        checks = Checks()
        check_previews(checks, waiting, hospital, tmp_path / "out")
        return checks.failed

    assert not failed()
    page = tmp_path / "out" / "review.html"
    page.write_text(page.read_text().replace('"picture": "/9j', '"picture": "/9k'))
    assert failed()
