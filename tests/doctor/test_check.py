"""The checks before training, on the configs that are shipped."""

import argparse
from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.doctor.check import diagnose, run
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import render

SHIPPED = sorted(
    path for path in Path("config").glob("*/*.yaml") if not path.name.startswith("sweep_")
)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_have_nothing_wrong(path: Path) -> None:
    assert diagnose(Evidence(config=load_config(path))) == []


def test_temperature_ten_in_the_shipped_config_is_found_before_the_first_step() -> None:
    config = load_config(Path("config/clip/multitask_config.yaml"), ["temperature=10"])
    (finding,) = diagnose(Evidence(config=config))
    text = render(finding)
    assert "can move by less than 3 % of chance" in text
    assert "`temperature`" in text
    assert finding.severity == "error"


def _config(**changes: object) -> RunConfig:
    known = {"name": "test", "steps": 100, "batch": 32, "loss_weights": {"contrastive": 1.0}}
    return RunConfig.model_validate({**known, **changes})


def test_learning_rates_decide_whether_a_learned_temperature_arrives() -> None:
    slow = _config(temperature=10.0, learn_temperature=True)
    optimizer = {"temperature_learning_rate": 0.2}
    fast = _config(temperature=10.0, learn_temperature=True, optimizer=optimizer)
    assert [finding.severity for finding in diagnose(Evidence(config=slow))] == ["error"]
    assert [finding.severity for finding in diagnose(Evidence(config=fast))] == ["warning"]


def test_a_schedule_that_comes_down_is_a_warning() -> None:
    config = _config(temperature={"start": 10.0, "end": 0.1})
    assert [finding.severity for finding in diagnose(Evidence(config=config))] == ["warning"]
    assert diagnose(Evidence(config=_config(temperature={"start": 0.1, "end": 0.05}))) == []


def test_a_run_without_the_contrastive_term_has_no_temperature_to_judge() -> None:
    weights = {"captioning": 1.0}
    assert diagnose(Evidence(config=_config(temperature=10.0, loss_weights=weights))) == []


def test_a_config_that_cannot_be_read_is_said_beside_the_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text("key_of_another_version: 1\n")
    assert run(argparse.Namespace(run_folder=tmp_path, reference=None, json=True)) == 0
    said = capsys.readouterr()
    assert said.out == "[]\n"
    assert "key_of_another_version" in said.err
    assert said.err.endswith("; rules that ask for the config are silent\n")
