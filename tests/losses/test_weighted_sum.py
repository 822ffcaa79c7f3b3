"""What the weighted sum adds up and what it refuses."""

import math

import pytest
import torch

from cinelex.losses.weighted_sum import WeightedSum


def term(value: float) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


def test_each_term_counts_as_much_as_it_weighs() -> None:
    terms = {"contrastive": term(3.0), "captioning": term(5.0)}
    total = WeightedSum({"captioning": 0.3, "contrastive": 2.0})(terms)
    total.backward()
    assert total.item() == pytest.approx(7.5)
    assert terms["contrastive"].grad == 2.0
    assert terms["captioning"].grad is not None
    assert terms["captioning"].grad.item() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("weights", "terms", "named"),
    [("a", "ab", r"without a weight: \['b'\]"), ("ab", "a", r"without a term: \['b'\]")],
)
def test_a_term_without_a_weight_and_a_weight_without_a_term_are_named(
    weights: str, terms: str, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        WeightedSum(dict.fromkeys(weights, 1.0))({name: term(1.0) for name in terms})


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf])
def test_a_senseless_weight_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="captioning"):
        WeightedSum({"contrastive": 1.0, "captioning": weight})


def test_an_empty_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        WeightedSum({})


def test_a_term_that_cannot_be_trained_is_refused_while_training() -> None:
    terms = {"a": term(1.0), "bleu": torch.tensor(0.5)}
    with pytest.raises(ValueError, match=r"\['bleu'\]"):
        WeightedSum({"a": 1.0, "bleu": 1.0})(terms)


def test_without_gradients_terms_are_only_added() -> None:
    with torch.no_grad():
        total = WeightedSum({"a": 2.0})({"a": torch.tensor(0.5)})
    assert total.item() == 1.0


def test_a_term_that_is_not_one_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not one number: \['a'\]"):
        WeightedSum({"a": 1.0})({"a": torch.ones(2, requires_grad=True)})


def test_a_weight_of_zero_keeps_the_term_in_the_graph() -> None:
    terms = {"a": term(1.0), "b": term(4.0)}
    WeightedSum({"a": 1.0, "b": 0.0})(terms).backward()
    assert terms["b"].grad == 0.0
