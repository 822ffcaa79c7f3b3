"""Write-ups beside the run that they speak of."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.core.errors import UserError
from cinelex.doctor.claims.match import Match, match_claims
from cinelex.doctor.claims.numbers import numbers_in
from cinelex.doctor.claims.pieces import named_by, pieces_of
from cinelex.doctor.claims.report import flag_tables
from cinelex.doctor.claims.run_numbers import RunNumber, read_numbers, words_in
from cinelex.doctor.claims.write_up import read_write_up


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
    return {match.claim.number.text: match for match in match_claims(claims, read_numbers(run))}


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
    recall, rank = found["14.4"].held, found["7"].held
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


def test_the_p_value_is_the_share_of_numbers_that_would_have_been_found_too(
    tmp_path: Path, run: Path
) -> None:
    found = _matches(tmp_path, run, "Something scored 5 and something else 0.2218.\n")
    # of the numbers 1 to 9, the run has 3, 2, 5 (and 2, 3 by rounding 3.25, 2.25)
    assert found["5"].p_value == pytest.approx(3 / 9)
    assert found["5"].status == "not found"
    assert found["0.2218"].p_value < 1e-3
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
        ("90.0/93.1 and 14.4 / 15.1 %", [90.0, 93.1, 14.4, 15.1]),
        ("31/32 tests within 10 points, docs/1.md", []),
    ],
)
def test_numbers_are_read_as_people_mean_them(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers_in(text)] == pytest.approx(values)


def test_digits_decide_how_near_is_equal() -> None:
    coarse, fine = numbers_in("0.1 and 14.40 %")
    assert coarse.half_unit == pytest.approx(0.05)
    assert list(fine.readings[0]) == pytest.approx([0.144, 0.00005])
    assert (coarse.digits, fine.digits) == (1, 4)


def test_a_commits_hash_and_what_no_float_holds_are_no_numbers() -> None:
    found = list(numbers_in("commit 12e4567, and 1e-400 of 3"))
    assert [number.value for number in found] == [3.0]


def test_a_config_that_is_not_utf8_is_named(run: Path) -> None:
    (run / "config.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(UserError, match=r"config\.yaml: not UTF-8 at byte 9"):
        read_numbers(run)


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
        read_numbers(tmp_path / "absent")
    with pytest.raises(UserError, match="holds no number"):
        read_numbers(tmp_path)


def _told(text: str, heading: str = "") -> list[tuple[str, str, int, bool]]:
    return [
        (piece.number.text, piece.role, piece.place, piece.number.percent)
        for piece in pieces_of(text, heading=heading)
    ]


def test_two_numbers_in_brackets_are_an_interval_in_the_unit_of_its_value() -> None:
    assert _told("58.1 % [49.4, 65.6]") == [
        ("58.1", "value", 0, True),
        ("49.4", "low", 0, True),
        ("65.6", "high", 0, True),
    ]
    assert _told("0.984 (0.944–1)")[1:] == [("0.944", "low", 0, False), ("1", "high", 0, False)]
    assert _told("15.1 % (to 18.9)")[1:] == [("18.9", "high", 0, True)]
    assert _told("a range of 0.05–0.07")[0][1] == "value"
    assert _told("0.05–0.07", heading="95 % interval")[0][1] == "low"


def test_numbers_between_slashes_are_a_series_of_one_unit() -> None:
    assert _told("14.4 / 15.1 %") == [("14.4", "value", 0, True), ("15.1", "value", 1, True)]
    assert _told("49.4–65.6 / 85.0–94.4", heading="95 % interval") == [
        ("49.4", "low", 0, False),
        ("65.6", "high", 0, False),
        ("85.0", "low", 1, False),
        ("94.4", "high", 1, False),
    ]
    first, second = pieces_of("0.2 / 0.3")
    assert named_by("R@1 / R@5 of reports", first) == "R@1 of reports"
    assert named_by("R@1 / R@5 of reports", second) == "R@5 of reports"
    assert named_by("R@1 / R@5 / R@10", second) == "R@1 / R@5 / R@10"


def test_directions_of_search_are_told_apart() -> None:
    there, back = words_in("study → report"), words_in("retrieval/report_to_study")
    assert "studytoreport" in there
    assert "reporttostudy" in back


SHARES = st.floats(0.001, 0.999)


@settings(deadline=None, max_examples=25)
@given(values=st.lists(SHARES, min_size=6, max_size=6), digits=st.integers(0, 3))
def test_what_is_written_from_a_run_is_found_in_it(values: list[float], digits: int) -> None:
    names = ("recall_at_1", "recall_at_5")
    scores = {
        name: dict(zip(("value", "low", "high"), values[3 * k : 3 * k + 3], strict=True))
        for k, name in enumerate(names)
    }
    numbers = [
        RunNumber(
            f"results.json: retrieval/{name}/{end}", words_in(f"retrieval {name} {end}"), value
        )
        for name, ends in scores.items()
        for end, value in ends.items()
    ]

    def cell(name: str, end: str) -> str:
        return f"{100 * scores[name][end]:.{digits}f}"

    one, five = names
    ends = [f"[{cell(name, 'low')}, {cell(name, 'high')}]" for name in names]
    text = (
        "| | value | 95 % interval |\n|---|---|---|\n"
        f"| R@1 / R@5 | {cell(one, 'value')} % / {cell(five, 'value')} % | "
        f"{cell(one, 'low')}–{cell(one, 'high')} / {cell(five, 'low')}–{cell(five, 'high')} |\n"
        f"| R@1 | {cell(one, 'value')} % {ends[0]} | |\n\n"
        f"R@5 reached {cell(five, 'value')} % {ends[1]}, they say.\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "RESULTS.md"
        path.write_text(text)
        matches = match_claims(read_write_up(path).claims, numbers)
    assert len(matches) == 12
    assert {match.status for match in matches} == {"found"}


def test_a_sentence_may_span_lines_and_its_numbers_know_theirs(tmp_path: Path, run: Path) -> None:
    text = (
        "The final **contrastive loss** of\nthis run was 2.25, its [temperature](https://x.y/9)\n"
        "0.0998.\n"
    )
    found = _matches(tmp_path, run, text)
    assert {n: (m.status, m.claim.line) for n, m in found.items()} == {
        "2.25": ("found", 2),
        "0.0998": ("found", 3),
    }


def test_code_html_and_addresses_claim_nothing(tmp_path: Path, run: Path) -> None:
    code = "    lr = 8\n\n~~~\n9\n~~~\n\n# 10\n\n`x = 11` ![plot](13.png)\n"
    text = f"<!-- 7 -->\n\n{code}\n> R@1 is 14.4 %\n"
    assert list(_matches(tmp_path, run, text)) == ["14.4"]


def test_cells_are_read_without_their_markup(tmp_path: Path, run: Path) -> None:
    text = "what | value\n--- | ---\n`recall_at_1` | **14.4 %**\n"
    assert _matches(tmp_path, run, text)["14.4"].status == "found"
