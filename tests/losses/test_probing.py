"""The probing loss: what is open is masked, and knowing nothing costs 1."""

import math

import pytest
import torch

from cinelex.losses.probing import Head, Probing

ENTROPY = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
BINARY = Head(kind="binary", outputs=1, prior=(math.log(0.25 / 0.75),), prior_loss=ENTROPY)
NUMBER = Head(kind="regression", outputs=1, prior=(0.0,), prior_loss=1.0)
GRADE = Head(kind="ordinal", outputs=2, prior=(0.0, 0.0), prior_loss=math.log(2))
TARGETS = torch.tensor([[1.0, -1.0], [0.0, 1.0], [0.0, 1.0], [0.0, -1.0]])


def test_the_prior_costs_one_over_what_it_was_made_from() -> None:
    loss = Probing(heads=(BINARY, NUMBER))
    outputs = torch.tensor([[BINARY.prior[0], 0.0]]).expand(4, -1)
    assert float(loss(outputs, TARGETS)) == pytest.approx(1.0)
    assert loss.chance(TARGETS) == pytest.approx(1.0)


def test_an_open_target_has_no_say_and_its_study_stays() -> None:
    loss = Probing(heads=(BINARY, NUMBER))
    outputs = torch.tensor([[0.3, 0.5], [9.0, 0.2]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0], [torch.nan, 1.0]])
    value = loss(outputs, targets)
    value.backward()
    assert outputs.grad is not None
    assert outputs.grad[1, 0] == 0
    assert outputs.grad[1, 1] != 0
    expected = (math.log1p(math.exp(-0.3)) / ENTROPY + (0.25 + 0.64) / 2) / 2
    assert float(value.detach()) == pytest.approx(expected)


def test_a_head_of_which_nobody_states_anything_is_left_out() -> None:
    loss = Probing(heads=(BINARY, NUMBER))
    targets = torch.tensor([[torch.nan, 2.0]])
    assert float(loss(torch.tensor([[5.0, 0.0]]), targets)) == pytest.approx(4.0)


def test_grades_are_asked_step_by_step() -> None:
    loss = Probing(heads=(GRADE,))
    sure = torch.tensor([[9.0, -9.0]])
    assert float(loss(sure, torch.tensor([[1.0]]))) < 1e-3
    assert float(loss(sure, torch.tensor([[2.0]]))) > 6
    assert loss.chance(torch.tensor([[1.0]])) == pytest.approx(1.0)
