"""Descriptions of engravings are scored by what they say, counted by hand."""

import math

import numpy as np
import pytest

from cinelex.metrics.captions import caption_report
from cinelex.metrics.engraving_facts import LEVELS, fact_counts, facts_of, rates

TRUE = "A small house stands on the left, its sides ruled. The sun shines above. Water lies below."
HALF = "A large house stands on the left, its sides ruled. Clouds drift above. Water lies below."


def test_a_wrong_size_spoils_the_whole_and_nothing_else() -> None:
    counts = dict(zip(LEVELS, fact_counts(TRUE, HALF).reshape(-1, 3).tolist(), strict=True))
    assert counts == {"kind": [1, 1, 1], "tone": [1, 1, 1], "whole": [0, 1, 1], "scene": [1, 2, 2]}


def test_scores_are_micro_averaged_over_engravings() -> None:
    sums = fact_counts(TRUE, HALF) + fact_counts(TRUE, "")
    # kind: one of one told and two true; scene: one of two told and four true
    assert rates(sums)["kind_f1"] == pytest.approx(2 / 3)
    assert rates(sums)["scene_f1"] == pytest.approx(2 / 6)
    assert rates(sums)["whole_f1"] == 0


def test_a_score_of_nothing_is_undefined() -> None:
    assert all(math.isnan(value) for value in rates(fact_counts("", "")).values())


def test_a_sentence_with_a_thing_says_nothing_of_the_sky() -> None:
    assert facts_of("A large rock in the middle hides the sun")["scene"] == set()
    assert facts_of("The house is ruled.")["kind"] == set()


def test_captions_are_scored_by_the_facts_that_are_asked_for() -> None:
    texts = [TRUE, HALF]
    engraving = caption_report(texts, texts, {"shuffled": texts[::-1]}, facts="engraving")
    assert engraving["whole_f1"]["value"] == 1
    assert engraving["whole_f1"]["baselines"]["shuffled"]["value"] == 0
    assert "averaged" in engraving["whole_f1"]["variant"]
    assert "lesion_f1_10pp" not in engraving
    none = caption_report(texts, texts, {}, facts="none")
    assert none.keys() == engraving.keys() - {f"{level}_f1" for level in LEVELS}
    np.testing.assert_allclose(none["bleu4"]["value"], 1)
