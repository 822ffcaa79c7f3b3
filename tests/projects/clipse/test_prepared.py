"""Images that are cines of a prepared data set."""

from pathlib import Path

import numpy as np
import pytest

from cinelex.config.load import load_config
from cinelex.data.video.store_writer import StoreWriter
from cinelex.projects.clipse.data import open_clipse_data
from cinelex.projects.clipse.splits import split_tables

BASELINE = Path(__file__).parents[3] / "config" / "clipse" / "baseline.yaml"


def test_a_cine_is_read_from_the_store_beside_the_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = {"a": 40, "b": 90, "c": 200, "d": 250, "e": 10}
    with StoreWriter(tmp_path / "store") as store:
        for key, level in levels.items():
            store.add(key, np.full((3, 8, 8, 1), level, np.uint8))
    rows = [
        f"s{key},store:{key},picture of {key},{'test' if key == 'd' else 'train'},{patient}"
        for key, patient in zip("abcd", ("p", "p", "q", "r"), strict=True)
    ]
    rows.append("sa,store:e,,train,p")
    table = "\n".join(["study_id,video_path,report,split,patient_id", *rows])
    (tmp_path / "manifest.csv").write_text(table)
    config = load_config(
        BASELINE,
        [
            "clipse.format=manifest",
            f"data.manifest={tmp_path / 'manifest.csv'}",
            f"data.cache={tmp_path / 'cache'}",
            *("data.channels=1", "data.size=8", "batch=2"),
        ],
    )
    data = open_clipse_data(config, tmp_path / "run")
    shown = [int(data.train.sample(n, epoch=None).clips.unique()) for n in range(3)]
    assert shown == [40, 90, 200]
    assert "1 studies have several videos, of which the first is taken" in capsys.readouterr().out
    (splits,) = split_tables(data)
    assert [(row["studies"], row["patients"]) for row in splits.rows] == [(3, 2), (1, 1)]
    assert splits.rows[1]["patients_in_training"] == 0
    assert splits.rows[1]["reports_in_training"] == 0
