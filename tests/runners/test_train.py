"""The loop: every step once, nothing learned from a broken step, and back where it stopped."""

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.runners.record import of_the_clock
from tests.runners.line_project import (
    Guess,
    LineProject,
    Points,
    line_config,
    steps,
    trainer,
)
from tests.tiny_run import rows


def test_the_loop_is_plain_adamw(tmp_path: Path) -> None:
    config, project = line_config(), LineProject()
    line = trainer(tmp_path, project, config)
    assert line.run()
    model = project.model()
    weight, bias = model.parameters()
    optimizer = torch.optim.AdamW(
        [
            {"params": [weight], "weight_decay": config.optimizer.weight_decay},
            {"params": [bias], "weight_decay": 0.0},
        ],
        betas=config.optimizer.betas,
        eps=config.optimizer.eps,
    )
    rates = [row["learning_rate"] for row in rows(tmp_path) if row["kind"] == "step"]
    for batch, rate in zip(project.batches(0), rates, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        project.terms(model, batch)["contrastive"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        optimizer.step()
    torch.testing.assert_close(line.module.state_dict(), model.state_dict())


class DroppingProject(LineProject):
    """Of the three numbers some are not seen, others each time."""

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Dropout(0.5), super().model())


def test_dropout_is_that_of_the_seed_wherever_the_process_stands(tmp_path: Path) -> None:
    weights = []
    for number, seed in enumerate((0, 0, 1)):
        torch.manual_seed(number)
        config = line_config(f"seed={seed}")
        line = trainer(tmp_path / str(number), DroppingProject(), config)
        assert line.run()
        weights.append(line.module.state_dict()["1.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_every_step_is_recorded_whatever_the_cadence(tmp_path: Path) -> None:
    assert trainer(tmp_path, config=line_config("log_every=5")).run()
    assert steps(tmp_path) == list(range(1, 9))
    assert [row["step"] for row in rows(tmp_path) if row["kind"] == "validation"] == [4, 8]
    assert checkpoint.steps_saved(tmp_path / "checkpoints") == [6, 8]


def test_what_a_project_measures_of_a_batch_stands_in_that_steps_record(tmp_path: Path) -> None:
    project = LineProject()
    assert trainer(tmp_path, project).run()
    first, batch = project.model(), next(project.batches(0))
    largest = (first(batch.x) - batch.x.sum(1, keepdim=True)).abs().max().item()
    found = [row["largest_error"] for row in rows(tmp_path) if row["kind"] == "step"]
    assert found[0] == pytest.approx(largest)
    assert len(set(found)) == len(found) == 8


def test_a_step_that_is_not_finite_moves_neither_weights_nor_moments(tmp_path: Path) -> None:
    project = LineProject(spoiled=frozenset({2}))
    line, batches = trainer(tmp_path, project), project.batches(0)
    line.books.record.close()
    line.update(next(batches))
    line.update(next(batches))
    weights = copy.deepcopy(line.module.state_dict())
    moments = copy.deepcopy(line.optimizer.state_dict()["state"])
    assert line.update(next(batches)).skipped.item() == 1
    torch.testing.assert_close(line.module.state_dict(), weights, rtol=0, atol=0)
    torch.testing.assert_close(line.optimizer.state_dict()["state"], moments, rtol=0, atol=0)
    assert line.update(next(batches)).skipped.item() == 0
    after = line.module.state_dict()
    assert all(bool(torch.isfinite(value).all()) for value in after.values())
    assert not torch.equal(after["weight"], weights["weight"])


def test_skipped_steps_are_counted_and_recorded_as_null(tmp_path: Path) -> None:
    line = trainer(tmp_path, LineProject(spoiled=frozenset({2, 5})))
    assert line.run()
    assert line.books.skipped == 2
    state = checkpoint.verify(tmp_path / "checkpoints" / "step-8").state
    assert state["position"]["skipped"] == 2
    taken = {row["step"]: row for row in rows(tmp_path) if row["kind"] == "step"}
    assert [step for step, row in taken.items() if row["skipped"]] == [3, 6]
    assert taken[3]["loss"] is None
    assert taken[3]["grad_norm"] is None


@pytest.mark.parametrize("log_every", [1, 10, 50])
def test_a_run_that_stays_broken_stops_and_says_what_to_change(
    tmp_path: Path, log_every: int
) -> None:
    config = line_config(
        "steps=60", f"log_every={log_every}", "checkpoint_every=60", "validate_every=0"
    )
    line = trainer(tmp_path, LineProject(spoiled=frozenset(range(5, 60))), config)
    with pytest.raises(UserError, match=r"optimizer\.learning_rate") as complaint:
        line.run()
    assert "\n" not in str(complaint.value)


class Stop(Exception):  # noqa: N818
    """Ends a run without a goodbye."""


@pytest.mark.parametrize("lost_at", [1, 3, 4, 7])
def test_a_run_that_broke_off_ends_as_if_it_had_not(tmp_path: Path, lost_at: int) -> None:
    whole, broken = trainer(tmp_path / "whole"), tmp_path / "broken"
    assert whole.run()

    def break_off(step: int) -> None:
        if step == lost_at:
            raise Stop

    with pytest.raises(Stop):
        trainer(broken, LineProject(at_step=break_off), line_config("log_every=1")).run()
    again = trainer(broken)
    assert again.step == lost_at // 3 * 3
    assert again.run()
    torch.testing.assert_close(again.module.state_dict(), whole.module.state_dict(), rtol=0, atol=0)
    assert rows(broken) == rows(tmp_path / "whole")


def test_a_finished_run_makes_no_further_step(tmp_path: Path) -> None:
    assert trainer(tmp_path).run()
    before = (tmp_path / "metrics.jsonl").read_bytes()

    def refuse(step: int) -> None:
        raise AssertionError

    assert trainer(tmp_path, LineProject(at_step=refuse)).run()
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_sinks_get_the_numbers_of_the_record(tmp_path: Path) -> None:
    class Kept:
        def __init__(self) -> None:
            self.rows: list[dict[str, float]] = []

        def write(self, step: int, numbers: Mapping[str, float]) -> None:
            self.rows.append({"step": step, **numbers})

        def close(self) -> None: ...

    kept = Kept()
    line = trainer(tmp_path)
    line.books.sinks = (kept,)
    assert line.run()
    sent = [{k: v for k, v in row.items() if not of_the_clock(k)} for row in kept.rows]
    assert sent == [{k: v for k, v in row.items() if k != "kind"} for row in rows(tmp_path)]


def test_a_batch_that_does_not_fit_is_named_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Greedy(LineProject):
        def outputs(self, model: nn.Module, batch: Points) -> Guess:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(UserError) as complaint:
        trainer(tmp_path, Greedy()).run()
    for word in ("batch=32", "8x64x64", "gradient_accumulation_steps", "activation_checkpointing"):
        assert word in str(complaint.value)
