"""Write-ups beside the run that they speak of."""

import json
from pathlib import Path

import pytest

from core.errors import UserError
from doctor.claims.facts import read_facts, words_in
from doctor.claims.match import Match, match_claims
from doctor.claims.numbers import numbers_in
from doctor.claims.report import flag_tables
from doctor.claims.write_up import read_write_up


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "multitask"
    folder.mkdir()
    results = {
        "retrieval": {
            "study_to_report": {
                "recall_at_1": {"value": 0.1437, "chance": 0.0063},
                "median_rank": {"value": 5.0, "chance": 80.0},
            }
        },
        "captioning": {"rougeL": {"value": 0.4612}, "bleu4": {"value": 0.2218}},
    }
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "config.yaml").write_text("temperature: 0.0998\nbatch: 32\nlearn_temperature: true\n")
    rows = [{"kind": "step", "step": s, "loss/contrastive": 3.5 - 0.25 * s} for s in range(1, 6)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def _matches(tmp_path: Path, run: Path, text: str) -> dict[str, Match]:
    path = tmp_path / "RESULTS.md"
    path.write_text(text)
    claims = read_write_up(path).claims
    return {match.claim.number.text: match for match in match_claims(claims, read_facts(run))}


def test_each_number_is_found_or_differs_or_is_not_found(tmp_path: Path, run: Path) -> None:
    text = """# Results of 2026

| metric | value | expected |
|---|---:|---|
| R@1 | 14.4 % | > 12 % |
| Median rank | 7 | < 6 |
| ROUGE-L | 0.46 | |

The temperature was 0.0998. BLEU-4 rose to 0.84, and 98,765 people agree.

```
accuracy 0.999
```
"""
    found = _matches(tmp_path, run, text)
    assert {text: match.status for text, match in found.items()} == {
        "14.4": "found",
        "12": "found",
        "7": "differs",
        "6": "found",
        "0.46": "found",
        "0.0998": "found",
        "0.84": "differs",
        "98,765": "not found",
    }
    recall, rank = found["14.4"].fact, found["7"].fact
    assert recall is not None
    assert recall.name == "results.json: retrieval/study_to_report/recall_at_1/value"
    assert found["14.4"].claim.line == 5
    assert rank is not None
    assert rank.value == 5.0
    assert found["0.84"].claim.line == 9


def test_the_record_gives_its_ends_and_its_extremes(tmp_path: Path, run: Path) -> None:
    found = _matches(
        tmp_path, run, "The contrastive loss fell from 3.25 to 2.25 and not to 1.07.\n"
    )
    assert {text: match.status for text, match in found.items()} == {
        "3.25": "found",
        "2.25": "found",
        "1.07": "differs",
    }


def test_luck_is_the_share_of_numbers_that_would_have_been_found_too(
    tmp_path: Path, run: Path
) -> None:
    found = _matches(tmp_path, run, "Something scored 5 and something else 0.2218.\n")
    # of the numbers 1 to 9, the run has 3, 2, 5 (and 2, 3 by rounding 3.25, 2.25)
    assert found["5"].luck == pytest.approx(3 / 9)
    assert found["5"].status == "not found"
    assert found["0.2218"].luck < 1e-3
    assert found["0.2218"].status == "found"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("R@1 is 0.5", [0.5]),
        ("BLEU-4 of 0.84, GPT-2, v1.2.3, 2026-01-05", [0.84]),
        ("falls 3.0 → 2.9", [3.0, 2.9]),
        ("0.05-0.07 or 0.05–0.07", [0.05, 0.07, 0.05, 0.07]),
        ("at -0.2 and −0.15", [-0.2, -0.15]),
        ("lr 1e-3, 2.5E+2", [1e-3, 250.0]),
        ("1,700 rows", [1700.0]),
        ("95 % interval 9.4–20.0", [9.4, 20.0]),
        ("ends at 3.", [3.0]),
    ],
)
def test_numbers_are_read_as_people_mean_them(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers_in(text)] == pytest.approx(values)


def test_digits_decide_how_near_is_equal() -> None:
    coarse, fine = numbers_in("0.1 and 14.40 %")
    assert coarse.half_unit == pytest.approx(0.05)
    assert list(fine.readings[0]) == pytest.approx([0.144, 0.00005])
    assert (coarse.digits, fine.digits) == (1, 4)


def test_abbreviations_are_the_words_that_they_stand_for() -> None:
    assert words_in("R@5") == words_in("recall_at_5") == {"recall", "recall5"}
    assert words_in("ROUGE-L") == words_in("rougeL")
    assert words_in("BLEU-4") == words_in("bleu4")


def test_a_table_whose_every_metric_improved_by_the_same_share_is_flagged(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    path.write_text(
        "| model | R@1 | R@5 | R@10 | mAP |\n|---|---|---|---|---|\n"
        "| baseline | 41.23 | 70.15 | 81.32 | 52.91 |\n"
        "| debias | 42.91 | 73.01 | 84.64 | 55.07 |\n"
        "| other | 41.95 | 70.02 | 83.11 | 53.40 |\n"
    )
    flagged = flag_tables(read_write_up(path).tables)
    assert [(table.first, table.second, table.line) for table in flagged] == [
        ("baseline", "debias", 1)
    ]
    assert flagged[0].found.change == pytest.approx(0.0408, abs=2e-4)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "no such file"), ("Nothing here.\n", "no number")]
)
def test_a_write_up_without_numbers_is_refused(
    tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "RESULTS.md"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_write_up(path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run folder"):
        read_facts(tmp_path / "absent")
    with pytest.raises(UserError, match="holds no number"):
        read_facts(tmp_path)
