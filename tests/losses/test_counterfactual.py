"""A study against its report and one that differs in one fact."""

import math

import pytest
import torch

from cinelex.losses.counterfactual import Counterfactual

ROWS = torch.eye(3)[:2]
TEMPERATURE = torch.tensor(0.5)


def loss(report: torch.Tensor, twin: torch.Tensor, there: list[bool]) -> float:
    found = Counterfactual()(ROWS, report, twin, torch.tensor(there), temperature=TEMPERATURE)
    return float(found)


def test_a_model_that_tells_them_apart_by_nothing_pays_the_log_of_two() -> None:
    assert loss(ROWS, ROWS, [True, True]) == pytest.approx(math.log(2))


def test_a_study_at_its_report_and_across_its_twin_pays_by_the_temperature() -> None:
    across = torch.eye(3)[2].expand(2, 3)
    assert loss(ROWS, across, [True, True]) == pytest.approx(math.log1p(math.exp(-2)))


def test_a_report_without_a_twin_counts_neither_in_sum_nor_number() -> None:
    far = torch.stack([ROWS[0], torch.eye(3)[2]])
    assert loss(ROWS, far, [True, False]) == pytest.approx(math.log(2))
    assert loss(ROWS, far, [False, False]) == 0.0
