"""Heads that answer facts from the tokens of a study's clips."""

import pytest
import torch

from cinelex.models import FACT_HEADS
from cinelex.models.fact_heads import AttentionFacts, FactRows, SideBySideFacts


def tokens(clips: int = 3) -> torch.Tensor:
    return torch.randn(2, clips, 4, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", FACT_HEADS)
def test_every_head_answers_each_fact_and_every_weight_learns(name: str) -> None:
    torch.manual_seed(0)
    heads = FACT_HEADS[name](width=6, tokens=4, facts=5)
    found = heads(tokens(), torch.ones(2, 3, dtype=torch.bool))
    assert found.shape == (2, 5)
    (found * torch.randn(2, 5)).sum().backward()
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in heads.parameters())


def test_side_by_side_reads_the_first_clips_and_zeros_for_those_that_are_missing() -> None:
    heads = SideBySideFacts(width=6, tokens=4, facts=5, clips=2)
    there = torch.ones(2, 3, dtype=torch.bool)
    torch.testing.assert_close(heads(tokens(), there), heads(tokens()[:, :2], there[:, :2]))
    padded = torch.cat([tokens()[:, :1], torch.zeros(2, 1, 4, 6)], dim=1)
    alone = heads(tokens()[:, :1], there[:, :1])
    torch.testing.assert_close(alone, heads(padded, there[:, :2]))
    assert not torch.allclose(heads(tokens(), there), heads(tokens().flip(1), there))


def test_attention_knows_no_order_and_no_padding() -> None:
    torch.manual_seed(0)
    heads = AttentionFacts(width=6, tokens=4, facts=5, hidden=7)
    there = torch.ones(2, 3, dtype=torch.bool)
    found = heads(tokens(), there)
    torch.testing.assert_close(heads(tokens().flip(1), there), found)
    padded = torch.cat([tokens(), torch.zeros(2, 1, 4, 6)], dim=1)
    mask = torch.tensor([[True, True, True, False]] * 2)
    torch.testing.assert_close(heads(padded, mask), found)


def test_what_the_decoder_is_shown_teaches_the_heads_nothing() -> None:
    facts = torch.randn(2, 5, requires_grad=True)
    rows = FactRows(facts=5, width=6)
    rows(facts).sum().backward()
    assert facts.grad is None
    assert rows.directions.grad is not None
