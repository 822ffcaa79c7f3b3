"""Balanced runs: resumed to the digit, equal on two processes, refused where they do not fit."""

from pathlib import Path

import pytest
import torch

from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.projects import check_project
from cinelex.runners.differences import decisive
from tests.ranks import PATIENCE_S, run_on_ranks
from tests.runners.balanced_project import BALANCES, balanced
from tests.runners.line_project import line_config
from tests.tiny_run import rows


def chosen(folder: Path) -> list[list[float]]:
    """Return the weights of each step."""
    keys = ("weight/contrastive", "weight/captioning")
    return [[row[key] for key in keys] for row in rows(folder) if row["kind"] == "step"]


class Stop(Exception):  # noqa: N818
    """Ends a run without a goodbye."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BALANCES)
def test_a_balanced_run_that_broke_off_ends_as_if_it_had_not(tmp_path: Path, name: str) -> None:
    whole, broken = balanced(tmp_path / "whole", name), tmp_path / "broken"
    assert whole.run()

    def break_off(step: int) -> None:
        if step == 4:
            raise Stop

    with pytest.raises(Stop):
        balanced(broken, name, at_step=break_off).run()
    again = balanced(broken, name)
    assert again.step == 3
    assert again.run()
    assert rows(broken) == rows(tmp_path / "whole")
    for one, other in (
        (again.module, whole.module),
        (again.balancer.balance, whole.balancer.balance),
    ):
        torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)
    assert any(weights != [1.0, 0.5] for weights in chosen(broken)), "it does something"


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE_S)
def test_two_processes_choose_the_weights_of_one(tmp_path: Path) -> None:
    run_on_ranks("tests.runners.balanced_project", str(tmp_path / "two"), world=2)
    for name in BALANCES:
        assert balanced(tmp_path / "one" / name, name).run()
        ends = [
            checkpoint.read(tmp_path / processes / name / "checkpoints" / "step-8", "model")
            for processes in ("two", "one")
        ]
        torch.testing.assert_close(*ends)
        torch.testing.assert_close(
            torch.tensor(chosen(tmp_path / "two" / name)),
            torch.tensor(chosen(tmp_path / "one" / name)),
            rtol=1e-3,
            atol=1e-5,
        )


@pytest.mark.slow
def test_micro_batches_choose_the_weights_of_the_whole_batch(tmp_path: Path) -> None:
    for name in BALANCES:
        assert balanced(tmp_path / name, name).run()
        assert balanced(tmp_path / "cut" / name, name, "gradient_accumulation_steps=3").run()
        found = (torch.tensor(chosen(tmp_path / where)) for where in (name, f"cut/{name}"))
        torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", BALANCES)
def test_a_step_that_is_not_finite_teaches_the_balance_nothing(tmp_path: Path, name: str) -> None:
    line = balanced(tmp_path, name, spoiled=frozenset({1}))
    line.books.record.close()
    batches = line.project.batches(0)
    line.update(next(batches))
    before = {key: value.clone() for key, value in line.balancer.balance.state_dict().items()}
    assert line.update(next(batches)).skipped.item() == 1
    torch.testing.assert_close(line.balancer.balance.state_dict(), before, rtol=0, atol=0)


def test_the_recorded_loss_is_that_of_the_weights_in_the_config(tmp_path: Path) -> None:
    line = balanced(tmp_path, "famo")
    line.books.record.close()
    report = line.update(next(line.project.batches(0)))
    expected = report.terms["contrastive"] + 0.5 * report.terms["captioning"]
    torch.testing.assert_close(report.loss, expected)


def test_the_fixed_sum_keeps_no_state_and_the_weights_of_the_config(tmp_path: Path) -> None:
    line = balanced(tmp_path, "fixed")
    assert line.run()
    assert chosen(tmp_path) == [[1.0, 0.5]] * 8
    assert not (tmp_path / "checkpoints" / "step-8" / "balance.safetensors").exists()


@pytest.mark.parametrize("name", ["shares", "upgrad"])
def test_spread_parameters_are_refused_where_gradients_are_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.runners.balancing.spreads", lambda _: True)
    monkeypatch.setattr("cinelex.runners.train.prepared", lambda module, *_, **__: module)
    with pytest.raises(UserError, match="parallel=ddp"):
        balanced(tmp_path, name, "parallel=fsdp")


def test_nothing_shared_is_refused(tmp_path: Path) -> None:
    line = balanced(tmp_path, "shares")
    line.books.record.close()
    line.probes = ()
    with pytest.raises(UserError, match="moved by all of contrastive, captioning"):
        line.update(next(line.project.batches(0)))


def test_one_term_cannot_be_balanced() -> None:
    with pytest.raises(UserError, match="two loss terms or more"):
        check_project(line_config("balance.name=famo"))


def test_targets_of_other_terms_are_refused_before_data_is_read() -> None:
    two = ("loss_weights.captioning=0.5", "balance.name=shares")
    with pytest.raises(UserError, match=r"balance.*must name \['captioning', 'contrastive'\]"):
        check_project(line_config(*two, "balance.options.targets.facts=0.5"))


def test_shares_need_the_probes_and_go_on_with_as_many() -> None:
    two = ("loss_weights.captioning=0.5", "balance.name=shares")
    with pytest.raises(UserError, match="probe_every"):
        line_config(*two, "probe_every=0")
    rarer, often = (line_config(*two, f"probe_every={every}") for every in (9, 3))
    assert [*decisive(rarer, often)] == ["probe_every"]
