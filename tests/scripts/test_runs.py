"""Finished runs beside one another, through the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from cinelex.config.load import dump_config, load_config
from cinelex.projects.interface.results import HASHES, Group, Results, Score
from cinelex.runners.run_folder import register
from cinelex.scripts.finished_runs.command import main
from tests.tiny_run import MULTITASK

STUDIES = 48


def write_run(folder: Path, name: str, ranks: np.ndarray, *, data: str = "d", seed: int = 0) -> str:
    """Write a finished run of studies, two a patient, and enter it into the registry."""
    run = folder / name
    (run / "predictions").mkdir(parents=True)
    config = load_config(MULTITASK, [f"name={name}", f"folder={folder}", f"seed={seed}"])
    (run / "config.yaml").write_text(dump_config(config))
    rows = [
        {"study_id": f"s{n}", "patient": f"p{n // 2}", "rank": int(rank)}
        for n, rank in enumerate(ranks)
    ]
    kept = run / "predictions" / "retrieval.jsonl"
    kept.write_text("".join(json.dumps(row) + "\n" for row in rows))
    score = Score(
        name="retrieval.study_to_report.recall_at_1",
        label="",
        value=float((ranks == 1).mean()),
        headline=True,
    )
    hashes = {**dict.fromkeys(HASHES, "h"), "data": data}
    results = Results(
        groups=[Group(title="", note="", scores=[score])],
        counts={"retrieval.gallery.study_to_report": STUDIES},
        provenance=hashes,
    )
    (run / "results.json").write_text(json.dumps(results.as_json()))
    register(config, hashes)
    return str(run)


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, str]:
    """Three seeds of a run that finds a quarter, of one that finds half, and one of other data."""
    quarter = np.where(np.arange(STUDIES) % 4 == 0, 1, 3)
    half = np.where(np.arange(STUDIES) % 4 < 2, 1, 3)
    found = {
        f"{name}{seed}": write_run(tmp_path, f"{name}{seed}", ranks, seed=seed)
        for name, ranks in (("quarter", quarter), ("half", half))
        for seed in range(3)
    }
    return {**found, "other": write_run(tmp_path, "other", half, data="e")}


def test_runs_are_listed_with_their_hashes_and_what_became_of_them(
    runs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(Path(runs["other"]).parent)
    assert main(["list", "--folder", folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(runs)
    assert all(line.endswith("there") for line in lines[1:])


def test_runs_are_compared_by_person(
    runs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    groups = [[runs[f"{name}{seed}"] for seed in range(3)] for name in ("quarter", "half")]
    assert main(["compare", "--first", *groups[0], "--second", *groups[1]]) == 0
    said = capsys.readouterr().out
    assert "study_to_report recall_at_1: 25.00 % -> 50.00 %, difference +25.00" in said
    assert f"{STUDIES} samples of {STUDIES // 2} people: higher" in said


def test_runs_that_were_not_measured_alike_are_refused(
    runs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--first", runs["half0"], "--second", runs["other"]]) == 2
    assert "were not measured alike (data: d and e)" in capsys.readouterr().err


def test_results_without_hashes_are_refused_and_left_out_of_the_board(
    runs: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(runs["half1"]) / "results.json"
    content = json.loads(file.read_text())
    del content["provenance"]["code"]
    file.write_text(json.dumps(content))
    assert main(["show", runs["half1"]]) == 2
    assert "has no hash of code" in capsys.readouterr().err
    assert main(["leaderboard", "--folder", str(file.parents[1])]) == 0
    said = capsys.readouterr().out
    assert said.count("left out:") == 1
    assert said.index("half0") < said.index("quarter0"), "best first"
    assert said.count("protocol: data=") == 2, "a table for each protocol"


def test_what_differs_is_said(runs: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", runs["quarter0"], runs["half1"]]) == 0
    said = capsys.readouterr().out
    assert "seed: 0 -> 1" in said
    assert "recall_at_1: 0.25 -> 0.5" in said
    assert main(["show", runs["half1"]]) == 0
    assert "protocol: retrieval.gallery.study_to_report = 48" in capsys.readouterr().out
