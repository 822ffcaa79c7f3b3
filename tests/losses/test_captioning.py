"""What captioning costs, word by word."""

import math

import pytest
import torch
import torch.nn.functional as F

from cinelex.losses.captioning import Captioning

PAD = 0


def logits_of(studies: int, token_ids: int, vocab: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(studies, token_ids, vocab, generator=random, dtype=torch.float64)


def test_knowing_nothing_costs_the_log_of_the_vocabulary() -> None:
    loss = Captioning(pad_id=PAD)(torch.zeros(2, 4, 7), torch.tensor([[1, 5, 2, 0], [1, 4, 6, 2]]))
    torch.testing.assert_close(loss, torch.tensor(math.log(7)))


def test_the_guess_at_a_place_is_judged_by_the_next_word() -> None:
    token_ids = torch.tensor([[1, 5, 3, 2]])
    next_words = torch.tensor([[5, 3, 2, 6]])
    sure = 50.0 * F.one_hot(next_words, 7).float()
    torch.testing.assert_close(Captioning(pad_id=PAD)(sure, token_ids), torch.tensor(0.0))


def test_padding_neither_counts_nor_gets_a_gradient() -> None:
    token_ids = torch.tensor([[1, 5, 2, 0, 0, 0], [1, 4, 6, 3, 2, 0]])
    logits = logits_of(2, 6, 7).requires_grad_()
    loss = Captioning(pad_id=PAD)(logits, token_ids)
    log_p = logits.detach().log_softmax(-1)
    costs = [
        -log_p[i, t, token_ids[i, t + 1]].item() for i, n in ((0, 2), (1, 4)) for t in range(n)
    ]
    assert loss.item() == pytest.approx(sum(costs) / 6)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient[0, 2:].eq(0).all()
    assert gradient[1, 4:].eq(0).all()
    assert gradient[0, :2].ne(0).all()


def test_padding_may_have_any_number() -> None:
    token_ids = torch.tensor([[1, 5, 2, 0, 0, 0], [1, 4, 6, 3, 2, 0]])
    logits = logits_of(2, 6, 7)
    swapped = torch.tensor([6, 1, 2, 3, 4, 5, 0])
    torch.testing.assert_close(
        Captioning(pad_id=6)(logits[..., swapped], swapped[token_ids]),
        Captioning(pad_id=PAD)(logits, token_ids),
    )


def test_a_number_counts_for_as_many_words_as_it_weighs() -> None:
    token_ids = torch.tensor([[1, 5, 6, 2]])
    logits = logits_of(1, 4, 7)
    log_p = logits.log_softmax(-1)
    cost = [-log_p[0, t, token_ids[0, t + 1]].item() for t in range(3)]
    loss = Captioning(pad_id=PAD, number_ids=(6,), number_weight=4.0)(logits, token_ids)
    assert loss.item() == pytest.approx((cost[0] + 4 * cost[1] + cost[2]) / 6)


def test_number_weight_leaves_chance_at_the_log_of_the_vocabulary() -> None:
    loss = Captioning(pad_id=PAD, number_ids=(5, 6), number_weight=9.0)(
        torch.zeros(1, 4, 7), torch.tensor([[1, 5, 3, 2]])
    )
    torch.testing.assert_close(loss, torch.tensor(math.log(7)))


def test_bfloat16_logits_are_judged_in_float32() -> None:
    logits = (20 * logits_of(2, 6, 7)).to(torch.bfloat16)
    token_ids = torch.tensor([[1, 5, 2, 0, 0, 0], [1, 4, 6, 3, 2, 0]])
    loss = Captioning(pad_id=PAD)(logits, token_ids)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, Captioning(pad_id=PAD)(logits.double(), token_ids).float())


def test_a_batch_of_padding_alone_costs_nothing() -> None:
    loss = Captioning(pad_id=PAD)(logits_of(1, 3, 7), torch.zeros(1, 3, dtype=torch.int64))
    assert loss.item() == 0


def test_a_single_token_has_no_next_one() -> None:
    with pytest.raises(ValueError, match="no next token"):
        Captioning(pad_id=PAD)(logits_of(1, 1, 7), torch.ones(1, 1, dtype=torch.int64))


def test_numbers_cannot_be_free() -> None:
    with pytest.raises(ValueError, match="number_weight"):
        Captioning(pad_id=PAD, number_weight=0.0)
