"""The view loss: values by hand, unknown views, and what the shares alone cost."""

import math

import torch

from cinelex.losses.views import Views


def test_the_loss_of_two_clips_by_hand() -> None:
    logits = torch.tensor([[0.75, 0.25], [0.1, 0.9]]).log()
    loss = Views()(logits, torch.tensor([1, 2]))
    torch.testing.assert_close(loss, torch.tensor(-(math.log(0.75) + math.log(0.9)) / 2))


def test_a_clip_of_unknown_view_costs_nothing_and_teaches_nothing() -> None:
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = Views()(logits, torch.tensor([0, 3, 0]))
    loss.backward()
    torch.testing.assert_close(loss.detach(), -logits.detach()[1].log_softmax(0)[2])
    assert logits.grad is not None
    assert logits.grad.abs().sum(dim=1).gt(0).tolist() == [False, True, False]


def test_a_batch_without_a_known_view_costs_nothing() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = Views()(logits, torch.tensor([0, 0]))
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_saying_how_often_each_view_occurs_costs_its_entropy() -> None:
    shares = torch.tensor([0.5, 0.25, 0.25])
    views = torch.tensor([1, 1, 2, 3])
    loss = Views()(shares.log().expand(4, -1), views)
    torch.testing.assert_close(loss, torch.tensor(1.5 * math.log(2)))
