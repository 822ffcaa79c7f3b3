"""BLEU, ROUGE and CIDEr equal the libraries that define them."""

import math
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocoevalcap.cider.cider_scorer import CiderScorer
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from cinelex.metrics.bleu import bleu, bleu_counts
from cinelex.metrics.cider import cider_d, words
from cinelex.metrics.rouge import NAMES, common_subsequence, rouge
from cinelex.metrics.text import Bleu, ChrF, CiderD, Distinct, Meteor, Rouge, StenosisFact

REFERENCES = [
    "Right dominant. 70% stenosis of the mid LAD. TIMI 3 flow.",
    "Left dominant. The RCA is occluded (100%). No calcification.",
    "Normal coronary arteries. TIMI 3 flow.",
    "Mild disease of D1, 30%, and of the PDA, 40 %.",
]
CANDIDATES = [
    "Right dominant. 60% stenosis of the mid LAD. TIMI 2 flow.",
    "left dominant. The RCA is occluded.",
    "Normal arteries",
    "",
]
SNIPPETS = ("the", "LAD", "RCA", "70%", ",", "mid-LAD", "is", "é", "(70", "%)", "2.5")
TEXTS = st.lists(st.sampled_from(SNIPPETS), max_size=15)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bleu_of_summed_counts_is_the_corpus_bleu_of_sacrebleu(order: int) -> None:
    counts = np.stack([bleu_counts(*pair) for pair in zip(REFERENCES, CANDIDATES, strict=True)])
    metric = BLEU(lowercase=True, tokenize="13a", max_ngram_order=order)
    expected = metric.corpus_score(CANDIDATES, [REFERENCES]).score / 100
    assert float(bleu(counts.sum(axis=0), order=order)) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([1, 2, 3, 4]))
def test_bleu_equals_sacrebleu_on_short_and_empty_texts(
    reference: list[str], candidate: list[str], order: int
) -> None:
    ours, theirs = " ".join(reference), " ".join(candidate)
    metric = BLEU(lowercase=True, tokenize="13a", max_ngram_order=order)
    expected = metric.corpus_score([theirs], [[ours]]).score / 100
    assert float(bleu(bleu_counts(ours, theirs), order=order)) == pytest.approx(expected, abs=1e-12)


def test_bleu_of_many_resamples_at_once_equals_one_by_one() -> None:
    counts = np.stack([bleu_counts(*pair) for pair in zip(REFERENCES, CANDIDATES, strict=True)])
    together = bleu(counts, order=2)
    assert [float(score) for score in together] == [float(bleu(row, order=2)) for row in counts]


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_rouge_equals_rouge_score(reference: list[str], candidate: list[str]) -> None:
    ours, theirs = " ".join(reference), " ".join(candidate)
    expected = RougeScorer(list(NAMES), use_stemmer=False).score(ours, theirs)
    for name, value in zip(NAMES, rouge(ours, theirs), strict=True):
        assert float(value) == pytest.approx(expected[name].fmeasure, abs=1e-9)


def test_the_longest_common_subsequence_keeps_the_order() -> None:
    assert common_subsequence("abcde", "ace") == 3
    assert common_subsequence("abc", "cba") == 1
    assert common_subsequence("", "abc") == 0


def test_cider_d_equals_pycocoevalcap() -> None:
    scorer = CiderScorer()
    for reference, candidate in zip(REFERENCES, CANDIDATES, strict=True):
        scorer += (" ".join(words(candidate)), [" ".join(words(reference))])
    _, expected = scorer.compute_score()
    np.testing.assert_allclose(cider_d(REFERENCES, CANDIDATES), expected, atol=1e-12)


def test_cider_d_of_a_perfect_caption_of_telling_words_is_ten() -> None:
    texts = ["one two three four five", "six seven eight nine ten"]
    np.testing.assert_allclose(cider_d(texts, texts), [10.0, 10.0])


def test_cider_d_is_a_property_of_the_whole_set() -> None:
    whole = cider_d(REFERENCES, REFERENCES)
    halves = [cider_d(part, part) for part in (REFERENCES[:1], REFERENCES[1:])]
    assert not np.allclose(whole, np.concatenate(halves))
    assert float(halves[0][0]) == 0.0


def test_cider_d_needs_as_many_candidates_as_references() -> None:
    with pytest.raises(ValueError, match="as many candidates"):
        cider_d(REFERENCES, CANDIDATES[:2])


def test_the_evaluate_metrics_give_the_same_numbers_as_the_counts() -> None:
    counts = np.stack([bleu_counts(*pair) for pair in zip(REFERENCES, CANDIDATES, strict=True)])
    scores = Bleu().compute(predictions=CANDIDATES, references=REFERENCES)
    assert scores == {
        f"bleu{n}": pytest.approx(float(bleu(counts.sum(axis=0), order=n))) for n in range(1, 5)
    }
    means = np.mean([rouge(*pair) for pair in zip(REFERENCES, CANDIDATES, strict=True)], axis=0)
    scores = Rouge().compute(predictions=CANDIDATES, references=REFERENCES)
    assert scores == {
        name: pytest.approx(float(mean), abs=1e-9) for name, mean in zip(NAMES, means, strict=True)
    }
    score = CiderD().compute(predictions=CANDIDATES, references=REFERENCES)["cider"]
    assert score == pytest.approx(float(cider_d(REFERENCES, CANDIDATES).mean()))
    facts = StenosisFact().compute(predictions=CANDIDATES, references=REFERENCES)
    assert facts["lesion_f1_10pp"] == pytest.approx(2 * 2 / (2 + 4))
    assert facts["number_recall"] == pytest.approx(1 / 4)


def test_chrf_is_that_of_sacrebleu_in_one_scale_with_the_others() -> None:
    expected = CHRF(lowercase=True).corpus_score(CANDIDATES, [REFERENCES]).score / 100
    found = ChrF().compute(predictions=CANDIDATES, references=REFERENCES)
    assert found == {"chrf": pytest.approx(expected)}
    assert ChrF().compute(predictions=REFERENCES, references=REFERENCES)["chrf"] == 1.0


def test_distinct_counts_words_that_differ() -> None:
    found = Distinct().compute(predictions=["a b a b", "a c"], references=["", ""])
    assert found == {"distinct1": pytest.approx(3 / 6), "distinct2": pytest.approx(3 / 4)}
    assert Distinct().compute(predictions=[""], references=[""]) == {"distinct1": 0, "distinct2": 0}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR is a Java program")
def test_meteor_is_that_of_pycocoevalcap() -> None:
    """1 less the penalty of one chunk: 0.6 (1 / words)^0.2, of five words in order."""
    text = "the left artery is normal"
    found = Meteor().compute(predictions=[text], references=[text])
    assert found["meteor"] == pytest.approx(1.0, abs=0.01)
    other = Meteor().compute(predictions=["nothing shared"], references=[text])
    assert other["meteor"] < 0.1


def test_evaluate_metrics_can_be_filled_in_batches() -> None:
    metric = CiderD()
    metric.add_batch(predictions=CANDIDATES[:2], references=REFERENCES[:2])
    metric.add_batch(predictions=CANDIDATES[2:], references=REFERENCES[2:])
    assert metric.compute()["cider"] == pytest.approx(float(cider_d(REFERENCES, CANDIDATES).mean()))


def test_a_caption_without_a_common_word_scores_zero() -> None:
    assert float(bleu(bleu_counts("one two", "three four"), order=1)) == 0.0
    assert rouge("one two", "three four").tolist() == [0.0, 0.0, 0.0]


def test_bleu_of_too_short_a_caption_pays_the_brevity_penalty() -> None:
    counts = bleu_counts("a b c d", "a b")
    assert float(bleu(counts, order=1)) == pytest.approx(math.exp(1 - 4 / 2))
