"""Aggregators: what every entry of the table must do, and what each one means."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import multi_head_attention_forward

from cinelex.core.errors import UserError
from cinelex.models import AGGREGATORS
from cinelex.models.aggregators import (
    AttentionPoolingAggregator,
    GatedAttentionAggregator,
    MeanAggregator,
    ViewAttentionAggregator,
)
from cinelex.models.contracts import Aggregator
from cinelex.models.packing import pad_rows, segment_softmax

OWNER = torch.tensor([2, 0, 0, 1, 2, 2, 0])


@pytest.fixture(params=sorted(AGGREGATORS))
def aggregator(request: pytest.FixtureRequest) -> Aggregator:
    torch.manual_seed(0)
    return AGGREGATORS[request.param](width=16)


@pytest.fixture
def rows() -> Tensor:
    return torch.randn(7, 16, generator=torch.Generator().manual_seed(1))


def test_one_vector_a_study(aggregator: Aggregator, rows: Tensor) -> None:
    assert aggregator(rows, OWNER, studies=3).shape == (3, 16)


def test_the_order_of_the_rows_does_not_matter(aggregator: Aggregator, rows: Tensor) -> None:
    order = torch.tensor([6, 3, 0, 1, 5, 4, 2])
    torch.testing.assert_close(
        aggregator(rows, OWNER, studies=3), aggregator(rows[order], OWNER[order], studies=3)
    )


def test_a_study_does_not_depend_on_the_others(aggregator: Aggregator, rows: Tensor) -> None:
    alone = aggregator(rows[OWNER == 0], torch.zeros(3, dtype=torch.long), studies=1)
    torch.testing.assert_close(aggregator(rows, OWNER, studies=3)[:1], alone)


def test_every_row_has_a_say(aggregator: Aggregator, rows: Tensor) -> None:
    rows.requires_grad_()
    aggregator(rows, OWNER, studies=3).square().sum().backward()
    assert rows.grad is not None
    assert rows.grad.abs().amax(dim=1).min() > 0


def test_every_parameter_gets_a_gradient(aggregator: Aggregator, rows: Tensor) -> None:
    pooled = aggregator(rows, OWNER, studies=3)
    if pooled.requires_grad:
        (pooled * torch.randn_like(pooled)).sum().backward()
    missing = [
        name
        for name, value in aggregator.named_parameters()
        if value.grad is None or not value.grad.any()
    ]
    assert missing == []


def test_the_state_survives_a_file(aggregator: Aggregator, rows: Tensor, tmp_path: Path) -> None:
    save_file(aggregator.state_dict(), tmp_path / "state.safetensors")
    other = type(aggregator)(width=16)
    other.load_state_dict(load_file(tmp_path / "state.safetensors"))
    first = aggregator.eval()(rows, OWNER, studies=3)
    assert torch.equal(first, other.eval()(rows, OWNER, studies=3))
    assert torch.equal(first, aggregator(rows, OWNER, studies=3))


def test_the_mean_is_the_mean(rows: Tensor) -> None:
    pooled = MeanAggregator(width=16)(rows, OWNER, studies=3)
    expected = torch.stack([rows[study == OWNER].mean(dim=0) for study in range(3)])
    torch.testing.assert_close(pooled, expected)


def test_gated_attention_is_equation_9_study_by_study(rows: Tensor) -> None:
    gated = GatedAttentionAggregator(width=16, hidden=8)
    for parameter in gated.parameters():
        torch.nn.init.normal_(parameter)
    pooled = gated(rows, OWNER, studies=3)
    for study in range(3):
        bag = gated.norm(rows[study == OWNER]).double()
        content = (bag @ gated.content.weight.double().T + gated.content.bias).tanh()
        gate = (bag @ gated.gate.weight.double().T + gated.gate.bias).sigmoid()
        weight = ((content * gate) @ gated.score.weight.double().T).softmax(dim=0)
        torch.testing.assert_close(pooled[study], (weight * bag).sum(dim=0).float())


def test_attention_pooling_equals_torch_study_by_study(rows: Tensor) -> None:
    pma = AttentionPoolingAggregator(width=16, heads=4)
    for parameter in pma.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    pooled = pma(rows, OWNER, studies=3)
    nothing = torch.zeros(16)
    for study in range(3):
        bag = pma.norm(rows[study == OWNER])[:, None]
        attended, _ = multi_head_attention_forward(
            pma.query.view(1, 1, 16),
            bag,
            bag,
            16,
            4,
            in_proj_weight=None,
            in_proj_bias=torch.cat([nothing, nothing, pma.value.bias]),
            bias_k=None,
            bias_v=None,
            add_zero_attn=False,
            dropout_p=0.0,
            out_proj_weight=pma.join.weight,
            out_proj_bias=pma.join.bias,
            use_separate_proj_weight=True,
            q_proj_weight=torch.eye(16),
            k_proj_weight=pma.key.weight,
            v_proj_weight=pma.value.weight,
        )
        added = pma.query + attended.view(16)
        torch.testing.assert_close(pooled[study], added + pma.mlp(pma.join_norm(added)))


def test_view_attention_weighs_clips_by_the_worth_of_their_views(rows: Tensor) -> None:
    attention = ViewAttentionAggregator(width=16, views=3, heads=2)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    pooled = attention(rows, OWNER, studies=3)
    for study in range(3):
        bag = attention.norm(rows[study == OWNER])
        shown = (bag @ attention.view.weight.T + attention.view.bias).softmax(dim=1)
        weight = (shown @ attention.worth.weight.T).softmax(dim=0)
        parts = attention.value(bag).split(8, dim=1)
        joined = torch.cat([(weight[:, [n]] * parts[n]).sum(dim=0) for n in range(2)])
        torch.testing.assert_close(pooled[study], attention.join(joined))


def test_clips_of_one_view_weigh_alike_whatever_else_they_show(rows: Tensor) -> None:
    attention = ViewAttentionAggregator(width=16, views=2, heads=2)
    with torch.no_grad():
        attention.view.weight.zero_()
        attention.worth.weight.normal_(std=3.0)
    pooled = attention(rows, OWNER, studies=3)
    values = MeanAggregator(width=16)(attention.value(attention.norm(rows)), OWNER, studies=3)
    torch.testing.assert_close(pooled, attention.join(values))


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(UserError, match="width 16 is not a multiple of heads 3"):
        AttentionPoolingAggregator(width=16, heads=3)


def test_segment_softmax_equals_softmax_and_survives_large_scores() -> None:
    scores = torch.tensor([[1e4], [1e4], [-1e4], [3.0], [2.0]])
    owner = torch.tensor([0, 0, 0, 1, 1])
    weight = segment_softmax(scores, owner, studies=2).flatten()
    expected = torch.cat([torch.tensor([0.5, 0.5, 0.0]), torch.tensor([3.0, 2.0]).softmax(0)])
    torch.testing.assert_close(weight, expected)


def test_segment_softmax_is_fp32_even_for_bf16_scores() -> None:
    weight = segment_softmax(torch.ones(3, 1).bfloat16(), torch.zeros(3).long(), studies=1)
    assert weight.dtype == torch.float32


def test_padding_keeps_the_order_within_a_study() -> None:
    table, attention_mask = pad_rows(torch.arange(7.0)[:, None], OWNER, studies=3)
    assert table[..., 0].tolist() == [[1, 2, 6], [3, 0, 0], [0, 4, 5]]
    assert attention_mask.tolist() == [[True] * 3, [True, False, False], [True] * 3]


def test_equal_studies_in_order_are_not_copied() -> None:
    rows = torch.randn(6, 2, 4)
    table, attention_mask = pad_rows(rows, torch.tensor([0, 0, 1, 1, 2, 2]), studies=3)
    assert table.data_ptr() == rows.data_ptr()
    assert attention_mask.all()


def test_a_study_without_a_row_is_named() -> None:
    with pytest.raises(ValueError, match=r"studies without a row: \[1\]"):
        pad_rows(torch.ones(2, 4), torch.tensor([0, 2]), studies=3)
    with pytest.raises(ValueError, match="belongs to study 3"):
        pad_rows(torch.ones(2, 4), torch.tensor([0, 3]), studies=2)
