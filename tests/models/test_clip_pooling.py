"""A clip's tokens become one row: each place with its own weights, or all alike."""

import torch

from cinelex.models.clip_pooling import MeanPooling, PositionPooling


def tokens(clips: int = 3) -> torch.Tensor:
    return torch.randn(clips, 6, 8, generator=torch.Generator().manual_seed(0))


def test_the_mean_is_the_mean_in_any_order() -> None:
    rows = MeanPooling()(tokens())
    torch.testing.assert_close(rows, tokens().sum(1) / 6)
    torch.testing.assert_close(MeanPooling()(tokens().flip(1)), rows)


def test_places_give_one_row_a_clip_and_every_weight_learns() -> None:
    pooling = PositionPooling(width=8, tokens=6, hidden=5)
    rows = pooling(tokens())
    assert rows.shape == (3, 8)
    (rows * torch.arange(8)).sum().backward()
    assert all(bool((weight.grad != 0).any()) for weight in pooling.parameters())  # type: ignore[union-attr]


def test_places_tell_where_a_token_was() -> None:
    torch.manual_seed(0)
    pooling = PositionPooling(width=8, tokens=6, hidden=5)
    assert not torch.allclose(pooling(tokens().flip(1)), pooling(tokens()))


def test_a_clip_does_not_depend_on_its_neighbours() -> None:
    pooling = PositionPooling(width=8, tokens=6, hidden=5)
    together = pooling(tokens())
    torch.testing.assert_close(pooling(tokens()[1:2]), together[1:2])
    torch.testing.assert_close(pooling(tokens().flip(0)), together.flip(0))


def test_places_weigh_the_tokens_side_by_side() -> None:
    pooling = PositionPooling(width=8, tokens=6, hidden=5)
    first, _, second, norm = pooling.read
    assert isinstance(first, torch.nn.Linear)
    by_place = first.weight.unflatten(1, (6, 8))
    hidden = torch.einsum("htw,ctw->ch", by_place, tokens()) + first.bias
    expected = norm(second(torch.nn.functional.gelu(hidden)))
    torch.testing.assert_close(pooling(tokens()), expected)
