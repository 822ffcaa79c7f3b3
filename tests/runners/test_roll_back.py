"""A loss that jumps: back to the checkpoint, and on without the samples of that step."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cinelex.core import checkpoint
from tests.runners.line_project import LineProject, Points, line_config, trainer
from tests.tiny_run import rows

STEPS, LOUD = 70, 56
SETTINGS = (f"steps={STEPS}", "checkpoint_every=10", "log_every=5", "on_spike=roll_back")


class Loud(LineProject):
    """Some steps, from 0, hold points that are far away."""

    def __init__(self, loud: frozenset[int]) -> None:
        super().__init__()
        self.loud = loud

    def batches(self, start_step: int) -> Iterator[Points]:
        for step, points in enumerate(super().batches(start_step), start_step):
            yield Points(1000 * points.x) if step in self.loud else points


def end(run: Path) -> bytes:
    return (run / "checkpoints" / f"step-{STEPS}" / "model.safetensors").read_bytes()


def test_the_end_is_that_of_a_run_in_which_these_steps_were_left_out(tmp_path: Path) -> None:
    settings = line_config(*SETTINGS)
    without = trainer(tmp_path / "without", LineProject(frozenset({LOUD, LOUD + 2})), settings)
    assert without.run()
    back = trainer(tmp_path / "back", Loud(frozenset({LOUD, LOUD + 2})), settings)
    assert back.run()
    assert end(tmp_path / "back") == end(tmp_path / "without")
    kinds = [row["kind"] for row in rows(tmp_path / "back")]
    assert kinds.count("step") == STEPS
    told = [row for row in rows(tmp_path / "back") if row["kind"] == "rolled_back"]
    assert [(row["to_step"], row["step"]) for row in told] == [(50, LOUD + 1), (50, LOUD + 3)]
    assert all(row["loss"] > 10 * row["usual"] > 0 for row in told)
    # the negative control: recorded alone, the jump moves the weights
    alone = trainer(tmp_path / "alone", Loud(frozenset({LOUD})), line_config(*SETTINGS[:-1]))
    assert alone.run()
    assert end(tmp_path / "alone") != end(tmp_path / "without")


def test_a_run_that_broke_off_on_its_way_goes_the_same_way(tmp_path: Path) -> None:
    settings = line_config(*SETTINGS)
    assert trainer(tmp_path / "whole", Loud(frozenset({LOUD})), settings).run()

    class Breaks(Loud):
        goes = 0

        def batches(self, start_step: int) -> Iterator[Points]:
            self.goes += 1
            for step, points in enumerate(super().batches(start_step), start_step):
                if self.goes == 2 and step == LOUD + 2:
                    raise RuntimeError("lost")
                yield points

    with pytest.raises(RuntimeError, match="lost"):
        trainer(tmp_path / "lost", Breaks(frozenset({LOUD})), settings).run()
    kinds = [row["kind"] for row in rows(tmp_path / "lost")]
    assert "rolled_back" in kinds, "it broke off on its way"
    assert trainer(tmp_path / "lost", Loud(frozenset({LOUD})), settings).run()
    assert end(tmp_path / "lost") == end(tmp_path / "whole")
    assert rows(tmp_path / "lost") == rows(tmp_path / "whole")


def test_without_a_checkpoint_before_it_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = line_config(*SETTINGS, f"checkpoint_every={STEPS}")
    assert trainer(tmp_path, Loud(frozenset({LOUD})), settings).run()
    assert f"no checkpoint before step {LOUD + 1} yet" in capsys.readouterr().out
    assert checkpoint.steps_saved(tmp_path / "checkpoints") == [STEPS]
