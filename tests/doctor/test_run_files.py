"""Folders of runs in which files are broken, or hold something else than expected."""

import json
from pathlib import Path

import pytest

from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.contrastive_headroom import SIGMOID_BIAS
from cinelex.doctor.run_files import read_run, read_steps
from tests.doctor.records import CONFIG


@pytest.mark.parametrize("content", ["{}", "[]", '{"diagnostics": 3}'])
def test_facts_that_are_not_there_are_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "doctor.json").write_text(content)
    assert read_run(tmp_path).diagnostics == {}


def test_a_config_that_is_not_utf8_is_shown_and_said_to_be_broken(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"name: caf\xe9\n")
    run = read_run(tmp_path)
    assert run.config is None
    assert "not UTF-8" in run.config_error
    assert run.config_text == "name: caf\ufffd\n"


def test_a_step_that_does_not_say_which_is_left_out(tmp_path: Path) -> None:
    rows = [{"kind": "step", "step": step, "loss": 1.0} for step in ("x", None, 3)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_run(tmp_path).evidence().course("loss") == [(3, 1.0)]
    assert len(read_steps(tmp_path)) == 1


@pytest.mark.parametrize("section", ["losses", "captioning", "provenance"])
@pytest.mark.parametrize("value", [["a"], "text", 3.0, {"captioning": 3.0}])
def test_rules_read_results_of_any_shape(tmp_path: Path, section: str, value: object) -> None:
    (tmp_path / "results.json").write_text(json.dumps({section: value}))
    assert "D22" in {f.rule for f in diagnose(read_run(tmp_path).evidence())}


def test_a_sigmoid_loss_over_one_study_has_no_odds() -> None:
    alone = CONFIG.model_dump() | {"batch": 1, "contrastive": {"name": "siglip"}}
    config = type(CONFIG).model_validate(alone | {"loss_weights": {"captioning": 1.0}})
    assert not list(SIGMOID_BIAS.findings(Evidence(config=config, diagnostics={"model/bias": 0.0})))
