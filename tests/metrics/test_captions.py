"""Captions are scored beside what a captioner that never looks would score."""

import json

import numpy as np
import pytest

from cinelex.metrics.baselines import constant_normal_caption, shuffled
from cinelex.metrics.bleu import bleu, bleu_counts
from cinelex.metrics.captions import caption_report
from cinelex.metrics.facts import score_facts
from cinelex.metrics.rouge import rouge

SEGMENTS = (
    "the Left Main Coronary Artery (LMCA)",
    "the proximal LAD",
    "the mid LAD",
    "the distal LAD",
    "D1 branch",
    "D2 branch",
    "the proximal LCX",
    "the distal LCX",
    "OM1",
    "OM2",
    "Ramus",
    "left posterolateral branch",
    "the proximal RCA",
    "the mid RCA",
    "the distal RCA",
    "the PDA",
    "the posterolateral branch",
)
PERCENTS = (20, 30, 40, 50, 60, 70, 80, 90, 100)


def segment_report(percents: list[int]) -> str:
    """Write a report with one templated sentence for each of 17 segments."""
    return " ".join(
        f"{segment} has {_severity(percent)} stenosis (~{percent}.0%)."
        if percent
        else f"{segment} has no significant stenosis."
        for segment, percent in zip(SEGMENTS, percents, strict=True)
    )


def _severity(percent: int) -> str:
    if percent < 50:
        return "mild"
    return "moderate" if percent < 70 else "severe"


def drawn_percents(*, studies: int) -> list[list[int]]:
    generator = np.random.default_rng(0)
    return [
        [int(generator.choice(PERCENTS)) if generator.random() < 0.2 else 0 for _ in SEGMENTS]
        for _ in range(studies)
    ]


def corpus_bleu(references: list[str], candidates: list[str]) -> float:
    pairs = zip(references, candidates, strict=True)
    return float(bleu(np.sum([bleu_counts(*pair) for pair in pairs], axis=0), order=4))


def test_an_always_normal_caption_reads_well_and_finds_nothing() -> None:
    references = [segment_report(percents) for percents in drawn_percents(studies=200)]
    captions = [segment_report([0] * len(SEGMENTS))] * len(references)
    pairs = zip(references, captions, strict=True)
    assert corpus_bleu(references, captions) > 0.75
    assert np.mean([rouge(*pair)[2] for pair in pairs]) > 0.9
    scores = score_facts(references, captions)
    assert scores.lesion_f1_10pp == 0.0
    assert scores.number_recall == 0.0
    assert scores.parse_coverage == 1.0


def test_right_findings_on_wrong_segments_read_well_and_score_low() -> None:
    truth = drawn_percents(studies=200)
    generator = np.random.default_rng(1)
    wrong = [[int(value) for value in generator.permutation(percents)] for percents in truth]
    references = [segment_report(percents) for percents in truth]
    captions = [segment_report(percents) for percents in wrong]
    scores = score_facts(references, captions)
    assert corpus_bleu(references, captions) > 0.93
    assert scores.number_recall == 1.0
    assert scores.lesion_f1_10pp is not None
    assert scores.lesion_f1_10pp < 0.2


def test_the_report_names_value_interval_variant_and_baselines_of_every_score() -> None:
    references = [segment_report(percents) for percents in drawn_percents(studies=30)]
    normal = [constant_normal_caption([*references, segment_report([0] * 17)])] * 30
    table = caption_report(
        references,
        references,
        {"constant_normal": normal, "shuffled": shuffled(references, seed=0)},
        resamples=50,
        seed=0,
    )
    json.dumps(table, allow_nan=False)
    expected = {"bleu1", "bleu4", "rouge1", "rouge2", "rougeL", "cider", "lesion_f1_10pp"}
    assert expected <= set(table)
    for metric, entry in table.items():
        assert set(entry) == {"value", "low", "high", "variant", "baselines"}, metric
        assert set(entry["baselines"]) == {"constant_normal", "shuffled"}
        for baseline in entry["baselines"].values():
            assert set(baseline) == {"value", "low", "high", "margin"}
    assert "13a" in table["bleu4"]["variant"]
    assert "F-measure" in table["rougeL"]["variant"]


def test_perfect_captions_stand_above_every_baseline_in_lesions() -> None:
    references = [segment_report(percents) for percents in drawn_percents(studies=60)]
    entry = caption_report(
        references, references, {"shuffled": shuffled(references, seed=1)}, resamples=100, seed=0
    )["lesion_f1_10pp"]
    assert (entry["value"], entry["low"], entry["high"]) == (1.0, 1.0, 1.0)
    baseline = entry["baselines"]["shuffled"]
    assert baseline["low"] < baseline["value"] < baseline["high"] < 0.5
    assert baseline["margin"]["low"] > 0.5


def test_captions_equal_to_a_baseline_have_a_margin_of_exactly_zero() -> None:
    references = [segment_report(percents) for percents in drawn_percents(studies=20)]
    captions = shuffled(references, seed=2)
    table = caption_report(references, captions, {"same": captions}, resamples=50, seed=0)
    margins = [entry["baselines"]["same"]["margin"] for entry in table.values()]
    assert {tuple(margin.values()) for margin in margins} <= {(0.0, 0.0, 0.0), (None, None, None)}


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    references = [segment_report(percents) for percents in drawn_percents(studies=20)]
    captions = shuffled(references, seed=3)
    first, again, other = (
        caption_report(references, captions, {}, resamples=50, seed=seed)["bleu4"]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["low"] != other["low"]


def test_what_is_undefined_is_null() -> None:
    normal = ["Normal coronary arteries.", "Coronaries are normal."]
    table = caption_report(normal, normal, {}, resamples=20)
    assert table["lesion_f1_10pp"]["value"] is None
    assert table["lesion_f1_10pp"]["low"] is None
    assert table["hallucination_rate"]["value"] is None


def test_one_study_gets_values_but_no_interval_and_no_corpus_statistic() -> None:
    table = caption_report(["Mid LAD 70%."], ["Mid LAD 60%."], {}, resamples=20)
    assert table["lesion_f1_10pp"]["value"] == 1.0
    assert table["lesion_f1_10pp"]["low"] is None
    assert table["cider"]["value"] is None


def test_unequal_numbers_of_captions_are_refused() -> None:
    with pytest.raises(ValueError, match="as many candidates"):
        caption_report(["Mid LAD 70%."], ["Mid LAD 70%."], {"bad": []})


def test_the_constant_caption_is_the_normal_report_most_like_the_others() -> None:
    reports = [
        "Right dominant. Mid LAD 70%. TIMI 3 flow.",
        "Right dominant. RCA 50%. TIMI 3 flow.",
        "Coronary vessels look fine.",
        "Right dominant. Normal coronary arteries. TIMI 3 flow.",
    ]
    assert constant_normal_caption(reports) == reports[3]


def test_the_constant_is_not_the_report_that_holds_every_word() -> None:
    short, long = "no lesion", "no lesion and much else that no other report of them would say"
    # mean F: (1 + 1 + 4 / 14) / 3 against (4 / 14 + 4 / 14 + 1) / 3
    assert constant_normal_caption([long, short, short]) == short


def test_without_a_normal_report_the_constant_is_the_most_typical() -> None:
    reports = ["RCA 50% and more.", "Mid LAD 70% stenosis.", "Mid LAD 70% stenosis and flow."]
    assert constant_normal_caption(reports) == reports[2]


def test_a_constant_needs_reports() -> None:
    with pytest.raises(ValueError, match="at least one"):
        constant_normal_caption([])


@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_shuffling_moves_every_caption_and_keeps_them_all(count: int) -> None:
    texts = [str(number) for number in range(count)]
    moved = shuffled(texts, seed=7)
    assert all(before != after for before, after in zip(texts, moved, strict=True))
    assert sorted(moved) == sorted(texts)
    assert moved == shuffled(texts, seed=7)


def test_a_single_caption_cannot_be_shuffled() -> None:
    with pytest.raises(ValueError, match="at least two"):
        shuffled(["alone"], seed=0)


ARABIC = ["تضيق بنسبة 10٪ في الشريان الأمامي", "لا يوجد تضيق في الشريان الأيمن"]
CHINESE = ["左前降支近段狭窄70%。", "右冠状动脉未见狭窄。"]


@pytest.mark.parametrize("reports", [ARABIC, CHINESE])
def test_reports_of_other_scripts_are_read_by_their_own_letters(reports: list[str]) -> None:
    same = caption_report(reports, reports, {}, resamples=10)
    turned = caption_report(reports, reports[::-1], {}, resamples=10)
    assert same["rougeL"]["value"] is None
    assert "a-z alone; see rougeL_unicode" in same["rougeL"]["undefined"]
    assert same["rougeL_unicode"]["value"] == 1.0
    assert 0 < turned["rougeL_unicode"]["value"] < 1
    bleu = "bleu4_unicode" if reports is CHINESE else "bleu4"
    assert same[bleu]["value"] == pytest.approx(1.0)
    assert turned[bleu]["value"] < 1


def test_a_number_in_common_is_no_common_report() -> None:
    found = caption_report(["Стеноз 70% ПМЖВ", "Норма"], ["Правая 70% артерия", "Норма"], {})
    assert found["rouge1"]["value"] is None
    assert found["rouge1_unicode"]["value"] == pytest.approx((1 / 3 + 1) / 2)


def test_an_accent_here_and_there_leaves_the_usual_scores() -> None:
    reports = ["Normal coronary arteries in every vessel, as in the year before." * 9, "Café " * 2]
    found = caption_report(reports, reports, {})
    assert found["rougeL"]["value"] == 1.0
    assert "rougeL_unicode" not in found


def test_a_baseline_that_there_is_not_is_undefined() -> None:
    found = caption_report(["one"], ["one"], {"shuffled": None})["rouge1"]
    assert found["baselines"]["shuffled"]["value"] is None
    assert found["value"] == 1.0
