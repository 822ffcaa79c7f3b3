"""The fact loss: values by hand, masks, intervals, and what knowing nothing costs."""

import math

import torch

from cinelex.losses.facts import Facts, FactStatistics, fact_statistics

NAN = math.nan


def statistics(mean: list[float], std: list[float]) -> FactStatistics:
    return FactStatistics(torch.tensor(mean), torch.tensor(std))


def test_the_loss_of_two_facts_by_hand() -> None:
    # (70 - 50) / 10 = 2 against 1.5, and (0 - 50) / 10 = -5 against -3
    low = torch.tensor([[70.0], [0.0]])
    loss = Facts()(torch.tensor([[1.5], [-3.0]]), low, low, statistics([50.0], [10.0]))
    torch.testing.assert_close(loss, torch.tensor((0.25 + 4.0) / 2))


def test_what_a_report_leaves_open_costs_nothing_and_teaches_nothing() -> None:
    guess = torch.tensor([[1.0, 5.0]], requires_grad=True)
    low = torch.tensor([[2.0, NAN]])
    loss = Facts()(guess, low, low, statistics([0.0, 0.0], [1.0, 1.0]))
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(1.0))
    assert guess.grad is not None
    assert guess.grad.tolist() == [[-2.0, 0.0]]


def test_an_interval_costs_nothing_inside_and_the_way_to_it_outside() -> None:
    ends = torch.tensor([[70.0]]), torch.tensor([[99.0]])
    known = statistics([0.0], [10.0])
    costs = [float(Facts()(torch.tensor([[at]]), *ends, known)) for at in (6.0, 8.0, 10.9)]
    torch.testing.assert_close(torch.tensor(costs), torch.tensor([1.0, 0.0, 1.0]))


def test_guessing_the_means_of_the_training_reports_costs_one() -> None:
    low = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * 7 + 40
    low[:120, 1] = NAN
    found = fact_statistics(low, low)
    torch.testing.assert_close(
        Facts()(torch.zeros_like(low), low, low, found), torch.tensor(1.0), rtol=1e-4, atol=0
    )


def test_statistics_by_hand_and_facts_that_never_differ_are_left_out() -> None:
    low = torch.tensor([[0.0, 5.0, NAN]] * 10 + [[10.0, 5.0, 1.0]] * 10)
    low[-1, 2] = NAN
    found = fact_statistics(low, low)
    assert found.mean.tolist() == [5.0, 5.0, 1.0]
    assert found.std.tolist() == [5.0, 0.0, 0.0]
    loss = Facts()(torch.full_like(low, 9.0), low, low, found)
    torch.testing.assert_close(loss, torch.tensor((100.0 + 64.0) / 2))


def test_a_batch_without_a_fact_costs_zero() -> None:
    low = torch.full((2, 1), NAN)
    loss = Facts()(torch.ones(2, 1), low, low, statistics([0.0], [1.0]))
    assert float(loss) == 0.0
