"""Tables as users' programs leave them: read, or refused in words that say what they are."""

import json
from pathlib import Path

import openpyxl
import pytest

from cinelex.core.errors import UserError
from cinelex.data.tables.read import read_table


def test_a_json_list_is_read_as_its_objects(tmp_path: Path) -> None:
    path = tmp_path / "studies.json"
    path.write_text(json.dumps([{"a": 1, "b": "x"}, {"b": "y"}], indent=1))
    table = read_table(path)
    assert table.names == ("a", "b")
    assert [cells.to_pylist() for cells in table.cells] == [["1", ""], ["x", "y"]]
    assert table.where(1) == "row 2"


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "studies.jsonl"
    path.write_text('{"a": "\\ud800"}\n')
    with pytest.raises(UserError, match="half of a character"):
        read_table(path)


def test_a_formula_without_its_result_is_no_empty_cell(tmp_path: Path) -> None:
    path, workbook = tmp_path / "studies.xlsx", openpyxl.Workbook()
    for row in (["a", "b"], ["x", "y"], ["z", '="u"&"v"']):
        workbook.active.append(row)
    workbook.save(path)
    with pytest.raises(UserError, match="row 3 holds a formula whose result was never saved"):
        read_table(path)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"ARROW1\0\0", "a Feather"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed by zstd"),
        (b"\xff\x00\x80a\x00\x01\x02", "neither text nor a table"),
    ],
)
def test_what_is_no_text_is_not_taken_for_another_encoding(
    tmp_path: Path, start: bytes, what: str
) -> None:
    path = tmp_path / "studies.csv"
    path.write_bytes(start + bytes(range(128, 256)))
    with pytest.raises(UserError, match=what):
        read_table(path)


def test_text_of_old_macintosh_programs_is_not_taken_for_windows(tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    path.write_bytes("report\nRéseau droit dominant\n".encode("mac_roman"))
    with pytest.raises(UserError, match="old Macintosh programs"):
        read_table(path)
    assert read_table(path, encoding="mac_roman").cells[0].to_pylist() == ["Réseau droit dominant"]
