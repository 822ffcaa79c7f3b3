"""A person sees every number beside its null, and "undefined" where there is none."""

from typing import Any

from cinelex.config.load import load_config
from cinelex.projects.rows import Row, Table
from cinelex.runners.summary import schedule_lines, summary_lines
from tests.tiny_run import MULTITASK

NULLS = {"value": 0.1, "low": 0.0, "high": 0.2}


def results() -> dict[str, Any]:
    """Results with one number of each kind; recall at 10 says nothing in a gallery of 8."""
    metric = {"value": 0.25, "chance": 0.125, "low": 0.0, "high": 0.5}
    certain = {"value": None, "chance": 1.0, "low": None, "high": None}
    direction = {
        "recall_at_1": metric,
        "recall_at_5": metric,
        "recall_at_10": certain,
        "median_rank": metric,
    }
    return {
        "retrieval": {
            "study_to_report": direction,
            "report_to_study": direction,
            "gallery": {"study_to_report": 8, "report_to_study": 9},
            "positive_cosine": metric,
            "negative_cosine": metric,
        },
        "captioning": {"bleu4": {**NULLS, "value": 0.3, "baselines": {"shuffled": NULLS}}},
        "losses": {"captioning": {"value": 5.0, "chance": 6.5, "unigram": 4.2}},
        "masked_modeling": {"pixel_mse": {"value": 0.02, "noise_floor": None}},
    }


def test_every_number_stands_beside_its_null() -> None:
    lines = summary_lines(results())
    assert "study_to_report recall_at_1: 0.25 [0, 0.5], chance 0.125 (gallery 8)" in lines
    assert "report_to_study median_rank: 0.25 [0, 0.5], chance 0.125 (gallery 9)" in lines
    assert "captions bleu4: 0.3 [0, 0.2]; shuffled 0.1" in lines
    assert "held-out captioning: 5; chance 6.5, unigram 4.2" in lines


def test_what_is_not_known_is_said_to_be_undefined() -> None:
    lines = summary_lines(results())
    undefined = "recall_at_10: undefined [undefined, undefined], chance 1 (gallery 8)"
    assert f"study_to_report {undefined}" in lines
    assert "hidden pixels: value 0.02, noise_floor undefined" in lines


def test_a_run_without_captions_has_no_line_for_them() -> None:
    without = {k: v for k, v in results().items() if k not in ("captioning", "masked_modeling")}
    assert not [line for line in summary_lines(without) if line.startswith(("captions", "hidden"))]


def test_the_schedule_shows_first_and_last_step_in_columns() -> None:
    config = load_config(MULTITASK, ["steps=50", "optimizer.warmup_steps=5"])
    lines = schedule_lines(config)
    assert lines[0].split()[:3] == ["step", "learning_rate", "temperature"]
    assert lines[1].split()[0] == "0"
    assert lines[-1].split()[0] == "49"
    assert len({len(line) for line in lines}) == 1


def test_tables_of_any_project_are_shown_with_interval_and_nulls() -> None:
    tables = [
        Table(
            title="Words",
            note="ten of them",
            rows=[
                Row(label="accuracy", value=0.9, low=0.8, high=1.0, nulls={"chance": 0.5}),
                Row(label="tilt", value=None, nulls={"shuffled": 0.25, "random": None}),
            ],
        ).as_json()
    ]
    assert summary_lines({"tables": tables}) == [
        "Words, accuracy: 0.9 [0.8, 1]; chance 0.5",
        "Words, tilt: undefined; shuffled 0.25, random undefined",
    ]
