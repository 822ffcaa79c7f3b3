"""The doctor beside a run reads the steps that count."""

from pathlib import Path

import pytest

from cinelex.doctor.live.watch import Watch
from tests.runners.line_project import line_config


def test_steps_that_are_made_again_replace_those_of_before(tmp_path: Path) -> None:
    watch = Watch(line_config(), tmp_path)
    for step, loss in ((1, 3.0), (2, 2.0), (3, 90.0), (2, 2.0), (3, 1.0)):
        watch.write(step, {"loss": loss})
    watch.write(3, {"recall": 0.1})
    assert [(row["step"], row["loss"]) for row in watch._steps] == [(1, 3.0), (2, 2.0), (3, 1.0)]


def test_the_fresh_model_is_remembered_when_its_step_has_left_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.doctor.live.watch.KEPT_STEPS", 60)
    watch = Watch(line_config().model_copy(update={"probe_every": 1}), tmp_path)
    for step in range(1, 101):
        watch.write(step, {"loss": 1.0})
    assert [row["step"] for row in watch.known_steps()] == [1, *range(41, 101)]
    watch.write(1, {"loss": 2.0})  # rolled back to the start
    assert watch.known_steps() == [{"step": 1, "loss": 2.0}]
