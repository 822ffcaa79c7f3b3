"""W&B's protocol against a double of its server on the loopback interface; no account is needed."""

import json
from pathlib import Path
from typing import Any

import pytest
import wandb
import yaml

from cinelex.core.errors import UserError
from cinelex.scripts.sweep import join
from cinelex.sweeps import wandb_agent
from cinelex.sweeps.outcomes import outcomes, read_back
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import cpu_slots
from cinelex.sweeps.wandb_agent import (
    check_chosen,
    made_sweep,
    open_sweep,
    run_agents,
    server_config,
    unwrapped,
)
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import HEAD, WEIGHT, quick_sweep
from tests.sweeps.wandb_double import run_command, serving

NESTED = "  optimizer:\n    parameters:\n      learning_rate: {min: 1e-4, max: 1e-2}\n"


def chosen(**values: Any) -> dict[str, Any]:
    return {key.replace("__", "."): value for key, value in values.items()}


def test_who_joins_before_the_driver_has_made_a_sweep_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a second sweep on the server")

    monkeypatch.setattr("wandb.sweep", never)
    sweep = quick_sweep(tmp_path)
    with pytest.raises(UserError, match="no sweep there yet; --join once"):
        join(sweep, cpu_slots(1, cores=[0]))
    with pytest.raises(UserError, match="no sweep there yet"):
        made_sweep(sweep)


@pytest.mark.filterwarnings("ignore:Read the `app_url`:DeprecationWarning")
@pytest.mark.slow
def test_agents_train_what_the_server_chooses_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = quick_sweep(tmp_path, count=3)
    commands = [
        run_command("good1", loss_weights__contrastive=2.0),
        run_command("bad1", loss_weights__contrastive="; rm -rf /"),
        run_command("bad2", loss_weights__contrastive=9.5),
        run_command("bad3", loss_weights__contrastive=2.0, folder="/etc"),
        run_command("good2", loss_weights__contrastive=2.5),
    ]
    with serving(commands) as (double, address):
        for name, value in {
            "WANDB_BASE_URL": address,
            "WANDB_API_KEY": "x" * 40,
            "WANDB_DIR": str(tmp_path),
            "WANDB_AGENT_MAX_INITIAL_FAILURES": "10",
            "WANDB_ERROR_REPORTING": "false",
            "HOME": str(tmp_path),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(wandb_agent, "AGENT", "tests.sweeps.quick_agent")
        wandb.teardown()  # what another test of this process set up may be offline
        where = open_sweep(sweep)
        assert where == "cinelex/s1"
        assert open_sweep(sweep) == where  # gone on with, not made twice
        assert run_agents(sweep, cpu_slots(1, cores=[0]), lambda text: None)
    told = yaml.safe_load(double.of_kind("upsertSweep")[0]["config"])
    assert len(double.of_kind("upsertSweep")) == 1
    assert told["run_cap"] == 3
    assert "command" not in told
    (log,) = (sweep.folder / "logs").glob("agent-*-0.log")
    check_agents_log(log)
    studies = open_studies(sweep)
    for _ in range(2):  # a second time changes nothing
        read_back(studies)
    found = outcomes(studies.search)
    assert sorted(one.runs[0] for one in found) == ["wandb-good1", "wandb-good2"]
    assert {path.name for path in sweep.trials.iterdir()} == {"wandb-good1", "wandb-good2"}
    values = {one.runs[0]: one.values["loss_weights.contrastive"] for one in found}
    assert values == {"wandb-good1": 2.0, "wandb-good2": 2.5}
    assert max(one.value(OBJECTIVE) for one in found) == pytest.approx(1.0)


def check_agents_log(log: Path) -> None:
    text = log.read_text()
    assert "loss_weights.contrastive = '; rm -rf /'" in text
    assert "loss_weights.contrastive = 9.5" in text
    assert "the server chose the unknown key 'folder'" in text


def test_the_server_gets_no_command_and_agents_get_no_program(tmp_path: Path) -> None:
    words = '["${env}", python, "${program}", "${args_no_hyphens}"]'
    text = HEAD + WEIGHT + f"program: scripts/main.py\ncommand: {words}\n"
    told = server_config(quick_sweep(tmp_path, text, count=7))
    assert "program" not in told
    assert "command" not in told
    assert told["metric"] == {"name": OBJECTIVE, "goal": "maximize"}
    assert told["parameters"] == {
        "loss_weights.contrastive": {"distribution": "uniform", "min": 1.5, "max": 3.0}
    }
    json.dumps(told)


def test_the_server_knows_dotted_keys_only_and_values_keep_their_type(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, HEAD + WEIGHT + NESTED)
    assert server_config(sweep)["parameters"]["optimizer.learning_rate"] == {
        "min": 1e-4,
        "max": 1e-2,
    }
    check_chosen(sweep.plan, {"loss_weights.contrastive": 2.0, "optimizer.learning_rate": 0.001})
    assert unwrapped({"wandb_version": 1, "a": {"value": [1]}}) == {"a": [1]}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (chosen(loss_weights__contrastive=1.49), "does not allow"),
        (chosen(loss_weights__contrastive="2.0"), "does not allow"),
        (chosen(loss_weights__contrastive=[2.0]), "does not allow"),
        (chosen(loss_weights__contrastive=None), "does not allow"),
        (chosen(), "did not choose 'loss_weights.contrastive'"),
        (chosen(loss_weights__contrastive=2.0, name="../x"), "unknown key 'name'"),
    ],
)
def test_what_the_file_does_not_allow_is_not_run(
    tmp_path: Path, values: dict[str, Any], reason: str
) -> None:
    plan = quick_sweep(tmp_path).plan
    with pytest.raises(UserError) as refused:
        check_chosen(plan, values)
    assert reason in str(refused.value)
    assert "nothing was run" in str(refused.value)
