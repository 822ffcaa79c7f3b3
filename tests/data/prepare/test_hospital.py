"""The whole road over the synthetic hospital, held against its truth."""

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from cinelex.metrics.facts.parse import read
from tests.data.prepare.exports import SURE, run, tables

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
