"""Rows encoded anew by the run that is said to have made them."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from torch import Tensor

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.data.video.transforms import to_float
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.command import add_arguments, read
from cinelex.doctor.predictions.encode import _encoded
from cinelex.doctor.rules.predictions import order
from cinelex.trained.loading import load
from cinelex.trained.reading import StudyReader
from tests.tiny_run import FinishedRun

STUDIES = 6


@pytest.mark.parametrize(
    ("how", "says"), [("", None), ("twice", "pixels normalised twice"), ("swapped", "another id")]
)
def test_what_was_done_to_the_pixels_is_named(
    how: str, says: str | None, finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    assert finished_run.path.exists(), "the studies were made by it"
    (manifest,) = (study_cache / "synthetic").glob("synthetic-*/manifest.csv")
    table = pd.read_csv(manifest)
    table = table[table["split"] == "test"]
    run = load(finished_run.path)
    ids = list(dict.fromkeys(table["study_id"]))[:STUDIES]

    def treated(levels: Tensor) -> Tensor:
        return (levels - PIXEL_MEAN) / PIXEL_STD if how == "twice" else levels

    rows = []
    with StudyReader(run.config.data) as reader:
        for number, study in enumerate(ids, 1):
            own = table["video_path"][table["study_id"] == study]
            clips = reader.clips([manifest.parent / name for name in own], number=number)
            rows.append(_encoded(run, to_float(clips), treated))
    if how == "swapped":
        rows = [rows[1], rows[0], *rows[2:]]
    flat = np.concatenate(rows)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat), len(rows[0]))
    pq.write_table(pa.table({"study_id": ids, "embedding": vectors}), tmp_path / "table.parquet")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    command = [str(tmp_path / "table.parquet"), "--manifest", str(manifest), "--split", "test"]
    command += ["--encoder", str(finished_run.path), "--key", "study_id"]
    evidence = Evidence(table=read(parser.parse_args(command)))
    found = [finding.cause for finding in order.ENCODED_ANEW.findings(evidence)]
    assert not found if says is None else says in found[0]
