"""A batch that the training split can fill."""

import pytest

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.projects.studies.fitting import fitted


def config(micro_batches: int = 1) -> RunConfig:
    return RunConfig(
        name="small",
        steps=1,
        batch=64,
        gradient_accumulation_steps=micro_batches,
        loss_weights={"contrastive": 1.0},
    )


def test_a_small_set_is_one_batch_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert fitted(config(), studies=64).batch == 64
    assert capsys.readouterr().out == ""
    assert fitted(config(), studies=40).batch == 40
    assert "batch: 64 asked for, and 40 to train on" in capsys.readouterr().out


@pytest.mark.parametrize(("studies", "micro_batches"), [(1, 1), (3, 4)])
def test_too_few_for_a_contrast_or_for_micro_batches(studies: int, micro_batches: int) -> None:
    with pytest.raises(UserError, match="cannot be shared"):
        fitted(config(micro_batches), studies=studies)
