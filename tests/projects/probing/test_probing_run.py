"""Probes of a finished run, through the shipped command."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_run import PROBING, WITH_NULLS, FinishedRun, arguments, call, succeed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def probed(
    finished_run: FinishedRun, study_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A probing run of the finished run, with columns of a manifest that has gaps."""
    folder = tmp_path_factory.mktemp("probed")
    manifest = _with_columns(study_cache, folder / "manifest.csv")
    targets = (
        "{lesions: {kind: regression}, ill: {kind: binary, column: lesions, above: 2}, "
        "grade: {kind: ordinal}, letter: {kind: multiclass}}"
    )
    command = arguments(
        folder,
        study_cache,
        *("name=probes", f"probing.run={finished_run.path}", f"probing.targets={targets}"),
        *(f"data.manifest={manifest}", "data.video_root=/"),
        *("loss_weights.gated_attention=1", "steps=4", WITH_NULLS),
        config=PROBING,
    )
    chosen = [item for item in command if not item.startswith("data.synthetic")]
    succeed(chosen)
    return folder / "probes"


def _with_columns(cache: Path, path: Path) -> Path:
    """Write the tiny set's manifest again with columns of several kinds, a third of them empty."""
    there = sorted((cache / "synthetic").glob("*/manifest.csv"))
    made = next(path for path in there if "findings" in path.read_text().partition("\n")[0])
    rows = list(csv.DictReader(made.read_text().splitlines()))
    ids = list(dict.fromkeys(row["study_id"] for row in rows))
    for row in rows:
        count = len(json.loads(row["findings"])["lesions"])
        row["lesions"] = str(count)
        row["grade"] = "" if ids.index(row["study_id"]) % 3 == 0 else str(min(count, 2))
        row["letter"] = ("a", "b", "c", "A ", "b", " C")[ids.index(row["study_id"]) % 6]
        row["video_path"] = str(made.parent / row["video_path"])
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def _results(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "results.json").read_text())
    return content


def test_every_kind_of_target_is_scored_beside_its_floors(probed: Path) -> None:
    found = _results(probed)["probing"]["attentive"]
    assert {"mae", "pearson"} <= found["lesions"].keys()
    assert {"auroc", "auprc", "balanced_accuracy"} <= found["ill"].keys()
    assert {"mae", "balanced_accuracy"} <= found["grade"].keys()
    assert found["letter"].keys() == {"balanced_accuracy"}
    # three letters, however they are written; what always says one of them recalls a third
    said = found["letter"]["balanced_accuracy"]["baselines"]["predict_the_mean"]["value"]
    assert said == pytest.approx(1 / 3)
    floors = found["lesions"]["mae"]["baselines"]
    assert floors.keys() == {"predict_the_mean", "metadata", "ridge_pixels", "ridge_features"}
    assert all(floor["margin"]["low"] is not None for floor in floors.values())


def test_the_table_has_a_row_a_target_and_counts_those_that_state_it(probed: Path) -> None:
    table = next(t for t in _results(probed)["tables"] if t["name"] == "probing")
    rows = {row["target"]: row for row in table["rows"]}
    assert rows["lesions"]["studies"] == 12
    assert 0 < rows["grade"]["studies"] < 12
    assert {"linear", "gated_attention", "attentive"} <= rows["lesions"].keys()
    assert any(name.startswith("stenosis_") for name in rows)


def test_the_features_are_kept_and_the_second_view_is_measured(
    probed: Path, study_cache: Path
) -> None:
    assert list((study_cache / "features").glob("video-*"))
    gained = _results(probed)["probing"]["linear"]["second_view"]["mae"]
    assert gained["baselines"]["first_video_alone"]["margin"]["value"] is not None


def test_another_frame_count_than_the_runs_is_refused(
    finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    run = f"probing.run={finished_run.path}"
    command = arguments(tmp_path, study_cache, run, "data.frames=8", config=PROBING)
    code, _, said = call(command)
    assert code != 0
    assert "was trained with 4, and 8 is asked for here; set data.frames=4" in said
