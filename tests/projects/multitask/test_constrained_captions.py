"""Captions constrained to what the heads found, from a first step to the tables."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from cinelex import load
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read
from cinelex.metrics.facts.segments import spoken
from tests.tiny_run import WITH_NULLS, arguments, succeed

pytestmark = pytest.mark.slow

FACTS = (
    *("loss_weights.facts=1.0", "loss_weights.counterfactual=0.5"),
    *("tokenizer.max_tokens=256", "evaluation.max_new_tokens=250"),  # no caption is cut short
    *("data.synthetic.train=64", WITH_NULLS),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("facts")
    succeed(arguments(folder, folder / "cache", "name=told", *FACTS))
    return folder


@pytest.fixture(scope="module")
def results(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "told" / "results.json").read_text())
    return found


@pytest.fixture(scope="module")
def table(run: Path) -> list[dict[str, str]]:
    """What inference writes of the test studies."""
    succeed(arguments(run, run / "cache", "name=told", *FACTS, "--run_mode", "inference"))
    with (run / "told" / "predictions" / "inference.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_decoder_that_is_given_the_truth_states_every_lesion(results: dict[str, Any]) -> None:
    scores = results["captioning"]
    for name, best in (("lesion_f1_10pp", 1.0), ("number_recall", 1.0), ("hallucination_rate", 0)):
        assert scores[name]["baselines"]["true_facts"]["value"] == best
        still_seen = {"shuffled_frames", "reversed_video", "first_frame"}
        knowing = {"true_facts", "constrained_without_video", "shuffled_facts"}
        assert set(scores[name]["bounds"]) == knowing | still_seen


def test_the_facts_decide_what_is_stated_and_not_the_decoder(results: dict[str, Any]) -> None:
    score = results["captioning"]["lesion_f1_segment"]
    assert score["baselines"]["constrained_without_video"]["value"] == pytest.approx(score["value"])


def test_the_term_stands_beside_its_chance(results: dict[str, Any]) -> None:
    facts = results["losses"]["facts"]
    assert 0 < facts["value"] < 2
    assert 0.5 < facts["chance"] < 1.5
    assert results["facts"]["stenosis"]["auroc"]["chance"] == 0.5


def test_probabilities_stand_beside_what_a_calibrated_model_would_score(
    results: dict[str, Any],
) -> None:
    score = results["facts"]["stenosis"]["calibration_error"]
    null = score["baselines"]["calibrated_model"]
    assert 0 <= null["low"] <= null["value"] <= null["high"] < 1
    assert 0 <= score["value"] <= 1


def test_reports_are_held_against_twins_beside_chance_and_the_text_alone(
    results: dict[str, Any],
) -> None:
    for change in ("negation", "segment", "side", "number"):
        score = results["counterfactuals"][change]
        assert score["chance"] == 0.5
        assert 0 <= score["baselines"]["another_studys_video"]["value"] <= 1
    term = results["losses"]["counterfactual"]
    assert term["chance"] == pytest.approx(math.log(2))
    assert 0 < term["value"] < 3


def test_inference_writes_the_table_beside_the_text_and_both_agree(
    table: list[dict[str, str]],
) -> None:
    places = [name for name in table[0] if name.startswith("stenosis.") and "." not in name[9:]]
    assert places
    for row in table:
        assert all(0 <= float(row[f"{place}.probability"]) <= 1 for place in places)
        stated = lesions_of(read(row["caption"])).positive
        said = [f"{spoken(place)} {fact.percentage}" for place, fact in stated.items()]
        assert row["lesions"] == "; ".join(said)
        for place, fact in stated.items():
            # within, for a caption that is cut may end before its last percentage
            assert fact.low <= float(row[f"stenosis.{place}"]) <= fact.high


def test_the_loaded_run_says_what_inference_says(run: Path, table: list[dict[str, str]]) -> None:
    row = table[0]
    (manifest,) = (run / "cache").glob("synthetic/*/manifest.csv")
    with manifest.open(newline="") as file:
        cines = [r for r in csv.DictReader(file) if r["study_id"] == row["study_id"]]
    videos = [manifest.parent / cine["video_path"] for cine in cines]
    assert load(run / "told").caption([videos]) == [row["caption"]]
