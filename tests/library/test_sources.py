"""Which studies a library takes from the manifest of its run."""

import csv
from dataclasses import replace
from pathlib import Path

from cinelex.config.data_schema import SplitSharesConfig
from cinelex.library.sources import manifest_of
from cinelex.trained.loading import load
from tests.tiny_run import FinishedRun


def test_a_run_that_drew_its_splits_has_them_in_its_library(
    finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    assert finished_run.path.exists(), "the studies were made by it"
    (made,) = (study_cache / "synthetic").glob("synthetic-*/manifest.csv")
    with made.open(newline="") as stream:
        rows = [{key: row[key] for key in row if key != "split"} for row in csv.DictReader(stream)]
    with (tmp_path / "studies.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    run = load(finished_run.path)
    data = run.config.data.model_copy(
        update={
            "manifest": tmp_path / "studies.csv",
            "video_root": made.parent,
            "split_by_patient": SplitSharesConfig(train=0.6, val=0.2, test=0.2),
        }
    )
    drawn = replace(run, config=run.config.model_copy(update={"data": data}))
    assert set(manifest_of(drawn, None).splits()) == {"train", "val", "test"}
