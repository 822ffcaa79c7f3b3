"""The 25-column file: what is kept, what is dropped, what is refused, and that nobody is in it."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.eq.file import COLUMNS, descriptors_of, read_eq_file, vocabulary
from cinelex.data.eq.parameters import PARAMETERS

IP, PLACE, AGE = "198.51.100.77", "zxcanary-town", "zxcanary-61"
MIDDLE = [str((item.low + item.high) / 2) for item in PARAMETERS]


def row(
    number: int, words: str = "warm", *, ip: str = IP, values: Sequence[str] = MIDDLE
) -> list[str]:
    """Return the cells of one setting."""
    tail = ["rock", "guitar", PLACE, "5", AGE, "english", "abc"]
    return [str(number), words, ip, "2", "2", *values, *tail]


def write(path: Path, *rows: Sequence[str]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def test_the_format_has_twenty_five_columns() -> None:
    assert len(COLUMNS) == 25
    assert len(row(1)) == 25
    assert COLUMNS[:6] == ("id", "descriptors", "ip", "inputs", "outputs", "gain 1")
    assert COLUMNS[18:] == (
        "genre", "instrument", "location", "experience", "age", "language", "checksum",
    )  # fmt: skip


def test_nothing_that_is_kept_leads_to_a_person(tmp_path: Path) -> None:
    path = write(tmp_path / "eq.csv", row(1), row(2, ip="198.51.100.78"), row(3))
    found = read_eq_file(path, reject_limit=0.0)
    assert [item.person for item in found.rows] == [0, 1, 0]
    kept = [asdict(item) for item in found.rows]
    assert set(kept[0]) == {"id", "descriptors", "person", "values"}
    for secret in (IP, PLACE, AGE, "rock", "english"):
        assert secret not in repr(found)


def test_people_are_numbered_alike_at_every_reading(tmp_path: Path) -> None:
    path = write(tmp_path / "eq.csv", *(row(n, ip=f"203.0.113.{n % 7}") for n in range(1, 30)))
    first, second = (read_eq_file(path, reject_limit=0.0).rows for _ in range(2))
    assert first == second


def test_settings_without_an_address_count_as_one_persons(tmp_path: Path) -> None:
    path = write(tmp_path / "eq.csv", row(1, ip=""), row(2), row(3, ip="  "))
    assert [item.person for item in read_eq_file(path, reject_limit=0.0).rows] == [0, 1, 0]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("warm", ("warm",)),
        (" Warm ", ("warm",)),
        ("Clear  Piano, WARM,", ("clear piano", "warm")),
        ("warm,warm", ("warm",)),
        (" , ", ()),
    ],
)
def test_descriptors_are_lower_case_and_parted_by_commas(cell: str, words: tuple[str, ...]) -> None:
    assert descriptors_of(cell) == words


def test_rounding_of_the_old_plug_in_is_brought_back_into_range(tmp_path: Path) -> None:
    values = [*MIDDLE]
    values[1], values[4] = "1000.0001", "0.09999999"
    path = write(tmp_path / "eq.csv", row(1, values=values))
    (item,) = read_eq_file(path, reject_limit=0.0).rows
    assert item.values[1] == 1000.0
    assert item.values[4] == 0.1


def test_rows_that_cannot_be_used_are_counted_and_named_without_their_cells(
    tmp_path: Path,
) -> None:
    outside, words, infinite = [*MIDDLE], [*MIDDLE], [*MIDDLE]
    outside[12], words[0], infinite[1] = "1625091", "zxcanary", "inf"
    bad = [
        row(2, values=outside),
        row(3, values=words),
        row(4)[:-1],
        row(1),
        row(6, values=infinite),
    ]
    path = write(tmp_path / "eq.csv", row(1), *bad, *(row(n) for n in range(10, 25)))
    found = read_eq_file(path, reject_limit=0.3)
    assert dict(found.rejects) == {
        2: "its frequency 5 is outside 580 to 20000 Hz",
        3: "its gain 1 is not a number",
        4: "it has 24 cells, not 25",
        5: "its id is there already",
        6: "its frequency 1 is outside 22 to 1000 Hz",
    }
    with pytest.raises(
        UserError, match="5 of 21 rows cannot be used.*row 2: its frequency 5"
    ) as no:
        read_eq_file(path, reject_limit=0.2)
    assert "zxcanary" not in str(no.value)


def test_a_missing_and_an_empty_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"set eq.file"):
        read_eq_file(tmp_path / "absent.csv", reject_limit=0.0)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UserError, match="is empty"):
        read_eq_file(tmp_path / "empty.csv", reject_limit=0.0)


def test_the_vocabulary_has_frequent_words_first_and_none_that_is_ignored(tmp_path: Path) -> None:
    words = ["warm"] * 3 + ["bright, warm"] * 2 + ["test"] * 9 + ["odd"]
    path = write(tmp_path / "eq.csv", *(row(n, word) for n, word in enumerate(words)))
    rows = read_eq_file(path, reject_limit=0.0).rows
    assert vocabulary(rows, min_settings=2, ignored=("test",)) == ("warm", "bright")
    with pytest.raises(UserError, match="eq.min_settings"):
        vocabulary(rows, min_settings=3, ignored=("test",))
