"""Two processes skip, stop, save and compare together; one process can go on for them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from cinelex.core import checkpoint
from cinelex.runners.restore import restore
from cinelex.runners.snapshot import Snapshots
from tests.ranks import PATIENCE_S, run_on_ranks
from tests.runners.line_project import line_config, trainer
from tests.runners.ranks_worker import SIGNALLED_AT, SPOILED
from tests.runners.shared_project import SharedProject
from tests.tiny_run import rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE_S)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes left what they did."""
    folder: Path = tmp_path_factory.mktemp("two")
    run_on_ranks("tests.runners.ranks_worker", str(folder), world=2)
    return folder


def weights(run: Path, step: int = 8, name: str = "model") -> dict[str, Tensor]:
    return checkpoint.read(run / "checkpoints" / f"step-{step}", name)


def skipped_steps(run: Path) -> list[int]:
    return [row["step"] for row in rows(run) if row["kind"] == "step" and row["skipped"]]


def test_what_is_not_finite_on_one_rank_is_skipped_on_all(two: Path, tmp_path: Path) -> None:
    assert skipped_steps(two / "ddp") == [3]
    alone = trainer(tmp_path, SharedProject(SPOILED), line_config("ema_decay=0.5"))
    assert alone.run()
    assert skipped_steps(tmp_path) == [3]
    for name in ("model", "optimizer", "ema"):
        torch.testing.assert_close(weights(two / "ddp", name=name), weights(tmp_path, name=name))


@pytest.mark.parametrize("name", ["model", "optimizer", "ema"])
def test_sharded_training_ends_as_replicated_training(two: Path, name: str) -> None:
    torch.testing.assert_close(weights(two / "fsdp", name=name), weights(two / "ddp", name=name))
    assert skipped_steps(two / "fsdp") == [3]


def test_each_rank_writes_its_own_part_and_a_later_step_changes_none(two: Path) -> None:
    for step in checkpoint.steps_saved(two / "fsdp" / "checkpoints"):
        found = checkpoint.verify(two / "fsdp" / "checkpoints" / f"step-{step}")
        assert [name[: len("shard-00001")] for name in found.state["files"]] == [
            "shard-00001",
            "shard-00002",
        ]
        for name in ("model", "optimizer", "ema"):
            torch.testing.assert_close(
                weights(two / "fsdp", step, name), weights(two / "ddp", step, name)
            )


def test_a_sharded_run_goes_on_to_the_same_bit(two: Path) -> None:
    for name in ("model", "optimizer", "ema", "random"):
        whole, stopped = (weights(two / run, name=name) for run in ("fsdp", "fsdp-in-two"))
        assert whole, name
        torch.testing.assert_close(stopped, whole, rtol=0, atol=0)


def test_a_signal_to_one_rank_stops_all_after_the_same_step(two: Path) -> None:
    stopped = [(two / f"stopped-at-{rank}").read_text() for rank in (0, 1)]
    assert stopped == [str(SIGNALLED_AT + 1)] * 2
    assert checkpoint.steps_saved(two / "stopped" / "checkpoints")[-1] == SIGNALLED_AT + 1


def test_one_process_goes_on_for_two_with_the_same_samples(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = trainer(two / "stopped", SharedProject(SPOILED))
    assert "saved by 2 processes, going on with 1" in capsys.readouterr().out
    assert line.run()
    steps = [row["step"] for row in rows(two / "stopped") if row["kind"] == "step"]
    assert steps == [*range(1, 9)]
    torch.testing.assert_close(weights(two / "stopped"), weights(two / "ddp"))


def test_a_rank_that_drifts_by_one_bit_is_found_and_the_tensor_named(two: Path) -> None:
    for rank in (0, 1):
        complaint = (two / f"drift-{rank}").read_text()
        assert "'blocks.1.2.bias'" in complaint
        assert "ranks [1]" in complaint


def test_a_sharded_checkpoint_is_read_by_an_ordinary_model(two: Path) -> None:
    line = trainer(two / "elsewhere", SharedProject())
    restore(two / "fsdp" / "checkpoints", model=line.module, optimizer=line.optimizer)
    again = Snapshots(line.module, line.optimizer).take(line.position, provenance={})
    torch.testing.assert_close(
        dict(again.tensors["optimizer"]), weights(two / "fsdp", name="optimizer"), rtol=0, atol=0
    )
    line.books.record.close()
