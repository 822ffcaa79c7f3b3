"""The cost of knowing the word before and nothing else, by hand."""

import math

import pytest

from cinelex.metrics.bigram import Bigram

TEXTS = [[1, 2, 3], [1, 2, 2]]


def test_the_shares_of_all_words_after_a_word_add_up_to_one() -> None:
    bigram = Bigram.of(TEXTS, vocabulary=5)
    for word in range(5):
        shares = [math.exp(-bigram.cost([[word, following]])) for following in range(5)]
        assert sum(shares) == pytest.approx(1)


def test_the_cost_of_a_pair_is_smoothed_by_the_share_of_the_word() -> None:
    # 2 follows 1 twice of twice; of four followers three are 2, each counted once more, of five
    expected = -math.log((2 + (3 + 1) / (4 + 5)) / (2 + 1))
    assert Bigram.of(TEXTS, vocabulary=5).cost([[1, 2]]) == pytest.approx(expected)


def test_texts_that_are_a_chain_cost_almost_nothing() -> None:
    chain = [list(range(10))] * 500
    assert Bigram.of(chain, vocabulary=10).cost(chain) < 0.01


def test_texts_without_a_second_word_are_refused() -> None:
    with pytest.raises(ValueError, match="none follows another"):
        Bigram.of(TEXTS, vocabulary=5).cost([[1], []])
