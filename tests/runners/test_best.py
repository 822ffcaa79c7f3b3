"""The best checkpoint of a run: the fresh model is a candidate for it."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from cinelex.core.checkpoint import best, newest, steps_saved
from tests.runners.line_project import LineProject, line_config, trainer
from tests.tiny_run import rows


class Worse(LineProject):
    """Each validation is worse than the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        self.looks += 1
        return {"lost": float(self.looks)}


def test_a_fresh_model_that_training_only_worsens_is_the_best(tmp_path: Path) -> None:
    run = trainer(tmp_path, Worse(), line_config("keep_best=-lost"))
    assert run.run()
    assert run.books.best_step == 0
    assert steps_saved(tmp_path / "checkpoints") == [0, 6, 8]
    found = newest(tmp_path / "checkpoints")
    assert found is not None
    assert best(found).path.name == "step-0"
    validated = [row["step"] for row in rows(tmp_path) if row["kind"] == "validation"]
    assert validated == [0, 4, 8]


def test_a_run_that_keeps_no_best_does_not_look_before_it_begins(tmp_path: Path) -> None:
    project = Worse()
    assert trainer(tmp_path, project).run()
    assert project.looks == 2


def test_a_run_that_goes_on_from_the_fresh_model_does_not_look_again(tmp_path: Path) -> None:
    config = line_config("keep_best=-lost")
    run = trainer(tmp_path, Worse(), config)
    with run.saver:
        run._validate()  # noqa: SLF001 - as a run that ends before its first step
        run.save()
    run.books.close()
    project = Worse()
    again = trainer(tmp_path, project, config)
    assert again.run()
    assert project.looks == 2
    assert again.books.best_step == 0
