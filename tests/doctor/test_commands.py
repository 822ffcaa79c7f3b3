"""The doctor's own commands, as people type them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinelex.core.files import read_json, write_json
from cinelex.doctor.__main__ import main

EXPORT = Path(__file__).parent / "logs" / "exports" / "our_run"


def _export(folder: Path, name: str, values: np.ndarray) -> Path:
    path = folder / f"{name}.csv"
    rows = "".join(f'"{step}","{value!r}"\n' for step, value in enumerate(values.tolist()))
    path.write_text(f'"Step","<b>run</b> - {name}"\n{rows}')
    return path


def test_logs_become_two_pictures_a_ledger_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draws = np.random.default_rng(0)
    falling = 2 - np.linspace(0, 1, 300) + 0.05 * draws.standard_normal(300)
    files = [_export(tmp_path, "loss", falling), _export(tmp_path, "lr", np.linspace(1, 0, 300))]
    out = tmp_path / "out"
    assert main(["logs", *map(str, files), "--out", str(out)]) == 0
    assert "NOT TESTABLE: the run generalises" in capsys.readouterr().out
    names = ("overview.png", "trend.png", "report.md", "key_findings.txt", "report.html")
    assert {path.name for path in out.iterdir()} == {*names, "ledger.json"}
    for name in ("overview.png", "trend.png"):
        with Image.open(out / name) as picture:
            assert picture.width > 1000
            assert len(picture.convert("L").histogram()) == 256
    page = (out / "report.html").read_text()
    assert "<b>run</b>" not in page
    assert "&lt;b&gt;run&lt;/b&gt;" in page
    assert "://" not in page
    entries = json.loads((out / "ledger.json").read_text())
    fallen = [e for e in entries if (e["metric"], e["claim"]) == ("loss", "falls over the run")]
    assert [entry["verdict"] for entry in fallen] == ["supported"]
    assert fallen[0]["low"] < -0.9 < fallen[0]["high"]
    assert "falls over the run" in (out / "report.md").read_text()


def test_a_log_of_three_steps_still_gets_its_report(tmp_path: Path) -> None:
    assert main(["logs", str(EXPORT), "--out", str(tmp_path / "out")]) == 0
    table = EXPORT.parent / "wandb_runs_table.csv"
    assert main(["logs", str(table), "--out", str(tmp_path / "runs")]) == 0
    assert not (tmp_path / "runs" / "overview.png").exists()


def test_bad_input_is_one_line_and_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    export = str(_export(tmp_path, "loss", np.arange(3.0)))
    for command in (
        ["logs", str(tmp_path / "absent.csv")],
        ["logs", export, "--out", str(tmp_path / "file" / "below")],
        ["claims", str(tmp_path / "absent.md"), str(tmp_path)],
        ["check", str(tmp_path / "absent")],
    ):
        assert main(command) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1


def test_results_that_were_made_from_another_runs_are_found_beside_it(
    run_folder: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*more: str) -> str:
        main(["check", str(run_folder), *more])
        return capsys.readouterr().out

    beside = ("--reference", str(finished_run))
    assert "by one factor" not in said(*beside), "the same run is no forgery"
    results = read_json(run_folder / "results.json")
    for score in results["retrieval"]["study_to_report"].values():
        if isinstance(score, dict):
            score["value"] *= 1.0408
    write_json(run_folder / "results.json", {"retrieval": results["retrieval"]["study_to_report"]})
    assert "D22 error" in said()
    assert "of the run of --reference" not in said()
    reference = read_json(finished_run / "results.json")["retrieval"]["study_to_report"]
    write_json(run_folder.parent / "other" / "results.json", {"retrieval": reference})
    found = said("--reference", str(run_folder.parent / "other"))
    assert "all moved by 4.08 % from those of the run of --reference" in found
    assert main(["check", str(run_folder)]) == 1


def test_a_healthy_folder_has_nothing_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "step", "step": 1, "loss": 1.0}\n')
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "the doctor finds nothing\n"


def test_claims_say_by_their_exit_code_whether_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text('{"recall_at_1": {"value": 0.25}}')
    write_up = tmp_path / "RESULTS.md"
    for text, code in (("R@1 is 25 %.\n", 0), ("R@1 is 26 %.\n", 1)):
        write_up.write_text(text)
        assert main(["claims", str(write_up), str(tmp_path), "--out", str(tmp_path)]) == code
        assert "| 1 | 2" in capsys.readouterr().out
    assert json.loads((tmp_path / "claims.json").read_text())["numbers"][0]["status"] == "differs"


def test_weights_for_wanted_shares_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"kind": "step", "loss": 1.0, "loss/a": 1.0, "loss/b": 1.0, "weight/a": 1.5}
    row |= {"weight/b": 0.5, "gradient/norm/a": 4.0, "gradient/norm/b": 1.0}
    lines = (json.dumps({**row, "step": step}) for step in range(1, 9))
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["weights", str(tmp_path), "a=1", "b=3"]) == 0
    said = capsys.readouterr().out
    # 6 of 6.5 now; w_a 4 : w_b 1 = 1 : 3 and w_a + w_b = 2
    assert "a: weight 1.5, share 92.3 % [92.3, 92.3]; for 25.0 %: loss_weights.a=0.154" in said
    assert "b: weight 0.5, share 7.7 % [7.7, 7.7]; for 75.0 %: loss_weights.b=1.85" in said
    for wrong in ("c=1", "a=-1", "a"):
        assert main(["weights", str(tmp_path), wrong]) == 2
    assert capsys.readouterr().err.count("error: ") == 3
