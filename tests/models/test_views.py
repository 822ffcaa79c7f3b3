"""What is known of views changes tokens, what is unknown does not."""

import math

import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.models.views import Shown, ViewEmbedding, check_views, see_views


def shown(views: list[int], angles: list[list[float]]) -> Shown:
    return Shown(torch.tensor(views), torch.tensor(angles))


@pytest.fixture
def embedding() -> ViewEmbedding:
    torch.manual_seed(0)
    made = ViewEmbedding(width=4, views=3, angles=True)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_()
        made.views.weight[0] = 0.0  # type: ignore[union-attr]
    return made


def test_an_unknown_view_adds_nothing_and_learns_nothing(embedding: ViewEmbedding) -> None:
    unknown = [math.nan, math.nan]
    tokens = torch.randn(3, 2, 4)
    seen = see_views(tokens, embedding, shown([0, 2, 0], [unknown, unknown, [30.0, math.nan]]))
    assert torch.equal(seen[0], tokens[0])
    assert not torch.equal(seen[1], tokens[1])
    assert not torch.equal(seen[2], tokens[2])
    seen[0].sum().backward()
    assert embedding.views is not None
    assert embedding.angles is not None
    assert not embedding.views.weight.grad.any()  # type: ignore[union-attr]
    assert not embedding.angles.weight.grad.any()  # type: ignore[union-attr]


def test_a_whole_turn_changes_nothing(embedding: ViewEmbedding) -> None:
    here, round_ = (embedding(shown([1], [[angle, 20.0]])) for angle in (-180.0, 180.0))
    torch.testing.assert_close(here, round_, atol=1e-5, rtol=0)


def test_a_fresh_table_and_no_table_see_the_same() -> None:
    tokens, known = torch.randn(1, 2, 4), shown([1], [[10.0, 20.0]])
    fresh = ViewEmbedding(width=4, views=3, angles=True)
    assert torch.equal(see_views(tokens, fresh, known), tokens)
    assert see_views(tokens, None, known) is tokens
    assert see_views(tokens, fresh, None) is tokens


def test_a_table_that_does_not_fit_the_data_is_refused() -> None:
    key = "model.views.count"
    check_views(0, 7, key=key)
    check_views(7, 7, key=key)
    with pytest.raises(UserError, match="set model.views.count=7"):
        check_views(3, 7, key=key)
    with pytest.raises(UserError, match="name the column in data.columns.view"):
        check_views(3, 0, key=key)
