"""Sweep files in W&B's format: the shipped ones, and what is refused."""

from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.doctor.rules.swept_keys import dependent_objective
from cinelex.projects import PROJECTS
from cinelex.sweeps.outcomes import refuse_unknown
from cinelex.sweeps.plan import Metric, read_plan
from tests.sweeps.quick_run import OBJECTIVE
from tests.sweeps.quick_sweep import HEAD, ROOT, SHIPPED, WEIGHT

WEIGHTS = ["loss_weights.contrastive", "loss_weights.captioning"]


def plan_of(folder: Path, text: str) -> str:
    """Return why a sweep file is refused."""
    file = folder / "sweep.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as refused:
        read_plan(file)
    message = str(refused.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config").rglob("sweep_*.yaml")), ids=lambda path: path.name
)
def test_every_shipped_sweep_file_can_be_read(path: Path) -> None:
    plan = read_plan(path)
    base = next(one for one in path.parent.glob("*.yaml") if not one.name.startswith("sweep_"))
    terms = PROJECTS[load_config(base).project].terms
    assert dependent_objective(plan.metric.name, [*plan.swept], terms) is None


def test_the_shipped_ranges_are_those_of_the_history() -> None:
    plan = read_plan(SHIPPED)
    assert {key: one.ends() for key, one in plan.swept.items()} == {
        "loss_weights.contrastive": (1.5, 3.0),
        "loss_weights.captioning": (0.2, 0.5),
        "loss_weights.masked_modeling": (0.05, 0.2),
        "temperature.start": (0.07, 0.15),
        "temperature.end": (0.07, 0.15),
    }
    assert "loss_weights.patch_contrastive" not in plan.parameters


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + WEIGHT + "metod: random\n", "unknown key 'metod'"),
        (HEAD.replace("bayes", "bayesian") + WEIGHT, "method"),
        ("method: random\nparameters:\n" + WEIGHT, "metric is missing"),
        (HEAD + "  seed: {value: 3}\n", "nothing is swept"),
        (HEAD.replace("bayes", "grid") + WEIGHT, "is a continuum, which no grid can hold"),
        (HEAD + WEIGHT + "program: rm.py\n", "is not run; a trial is always scripts/main.py"),
        (HEAD + WEIGHT + 'command: ["${env}", python, "${program}"]\n', "does not pass the arg"),
        (HEAD + WEIGHT + 'command: [python, "${program}", "${args}"]\n', "which is not read"),
        (HEAD + WEIGHT + "early_terminate: {type: median}\n", "early_terminate.type"),
        (HEAD + WEIGHT + "name: ../../etc\n", "name"),
        (HEAD.replace(OBJECTIVE, "'a; rm -rf'") + WEIGHT, "metric.name"),
        (HEAD + WEIGHT + WEIGHT, "stands twice"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in plan_of(tmp_path, text)


def test_a_command_that_passes_the_arguments_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    words = '["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"]'
    file.write_text(HEAD + WEIGHT + f"program: scripts/main.py\ncommand: {words}\n")
    assert [*read_plan(file).swept] == ["loss_weights.contrastive"]


@pytest.mark.parametrize(
    ("name", "swept", "reason"),
    [
        ("val/total_loss", WEIGHTS, "the smallest weights would win"),
        ("loss", ["loss_weights.patch_contrastive"], "the smallest weights would win"),
        ("losses/contrastive", ["temperature.start"], "changes the unit"),
        ("losses/contrastive/value", ["learn_temperature"], "changes the unit"),
        ("val/contrastive_loss", ["batch"], "changes the unit"),
        ("losses/captioning", ["tokenizer.vocab_size"], "changes the unit"),
        ("losses/masked_modeling", ["model.mask_ratio"], "changes the unit"),
        ("losses/of_another_project", ["temperature"], "changes the unit"),
    ],
)
def test_an_objective_that_a_swept_key_changes_by_itself_is_refused(
    name: str, swept: list[str], reason: str
) -> None:
    found = dependent_objective(name, swept, PROJECTS["multitask"].terms)
    assert found is not None
    assert found.rule == "D1"
    assert f"the swept key {swept[0]}: " in found.statement
    assert reason in found.statement


@pytest.mark.parametrize(
    ("name", "swept"),
    [
        (OBJECTIVE, [*WEIGHTS, "temperature.start"]),
        ("captioning/lesion_f1_10pp", [*WEIGHTS, "temperature", "tokenizer.vocab_size"]),
        ("losses/captioning", [*WEIGHTS, "temperature.start"]),
        ("losses/contrastive", WEIGHTS),
        ("val/total_loss", ["optimizer.learning_rate"]),
    ],
)
def test_an_objective_with_a_unit_of_its_own_is_taken(name: str, swept: list[str]) -> None:
    assert dependent_objective(name, swept, PROJECTS["multitask"].terms) is None


def test_an_unknown_objective_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=f"did you mean {OBJECTIVE}"):
        refuse_unknown(Metric(name="retrieval/study_to_report/recall_at_2"), [OBJECTIVE])
