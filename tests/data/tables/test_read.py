"""Tables of any common format and encoding: what is read, refused, and never said."""

import gzip
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from cinelex.core.errors import UserError
from cinelex.data.tables.read import read_table

CANARY = "JOHN DOE 1931"
ROWS = [["a", "1.mp4", "10\u201320% caf\u00e9", "train"], ["b", "2.mp4", "x, y; z", "test"]]
NAMES = ["study_id", "video_path", "report", "split"]


def written(path: Path, data: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(data.encode(encoding) if isinstance(data, str) else data)
    return path


def csv_text(separator: str = ",") -> str:
    lines = [NAMES, *([f'"{cell}"' for cell in row] for row in ROWS)]
    return "".join(separator.join(line) + "\r\n" for line in lines)


def rows_of(path: Path) -> list[list[str]]:
    table = read_table(path)
    assert list(table.names) == NAMES
    return [list(row) for row in zip(*(column.to_pylist() for column in table.cells), strict=True)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_what_stands_between_cells_is_found_out(tmp_path: Path, separator: str) -> None:
    path = written(tmp_path / "m.csv", csv_text(separator))
    assert rows_of(path) == ROWS


@pytest.mark.parametrize("said", ["sep=;", '"sep=;"'])
def test_excels_word_on_the_separator_is_followed_and_counts_as_a_line(
    tmp_path: Path, said: str
) -> None:
    path = written(tmp_path / "m.csv", f"\ufeff{said}\r\n{csv_text(';')}")
    assert rows_of(path) == ROWS
    assert read_table(path).where(0) == "line 3"


def test_columns_of_lists_are_said_to_be_such(tmp_path: Path) -> None:
    frame = pd.DataFrame({"study_id": ["a"], "report": [{"text": CANARY}], "video_path": [["v"]]})
    frame.to_parquet(tmp_path / "m.parquet")
    frame.to_json(tmp_path / "m.jsonl", orient="records", lines=True)
    for name, what in (("m.parquet", "structs"), ("m.jsonl", "lists or objects")):
        with pytest.raises(UserError, match=f"column 'report' holds {what}, not text"):
            read_table(tmp_path / name).refuse_missing(["study_id", "report"])


def test_whole_numbers_read_alike_from_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"study_id": [7.0, 8.0]})
    frame.to_parquet(tmp_path / "m.parquet")
    frame.to_excel(tmp_path / "m.xlsx", index=False)
    written(tmp_path / "m.jsonl", '{"study_id": 7.0}\n{"study_id": 8.0}\n')
    for kind in ("parquet", "xlsx", "jsonl"):
        assert read_table(tmp_path / f"m.{kind}").column("study_id").to_pylist() == ["7", "8"]


@pytest.mark.parametrize(
    ("encoding", "how"),
    [
        ("utf-8", "comma-separated, UTF-8"),
        ("utf-8-sig", "comma-separated, UTF-8"),
        ("utf-16", "comma-separated, utf-16-le"),
        ("utf-16-be", "comma-separated, utf-16-be"),
        ("cp1252", "comma-separated, Windows-1252"),
    ],
)
def test_the_encoding_is_found_out_and_said(tmp_path: Path, encoding: str, how: str) -> None:
    path = written(tmp_path / "m.csv", csv_text(), encoding)
    assert rows_of(path) == ROWS
    assert read_table(path).how.lower() == how.lower()


def test_latin_1_is_where_no_byte_is_of_windows_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "report\nS\u00e4ule \u00fcber \u00e9l\n", "latin-1")
    table = read_table(path)
    assert table.cells[0].to_pylist() == ["S\u00e4ule \u00fcber \u00e9l"]
    assert table.how == "comma-separated, Latin-1"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\u53f3\u51a0\u4f18\u52bf\u578b\u5de6\u524d", "gb18030"),
        ("\u0441\u0442\u0435\u043d\u043e\u0437 70%", "cp1251"),
        ("zw\u0119\u017cenie 70%", "cp1250"),
        ("darl\u0131\u011f\u0131", "cp1254"),
        ("St\u00e4nose", "cp850"),
    ],
)
def test_text_that_another_encoding_explains_is_refused_and_read_when_it_is_named(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = written(tmp_path / "m.csv", f"id,report\n{CANARY},x\nb,{text}\n", encoding)
    with pytest.raises(UserError, match=r"line 3 is not UTF-8, .* set data\.encoding") as caught:
        read_table(path)
    assert CANARY not in str(caught.value)
    assert read_table(path, encoding=encoding).cells[1].to_pylist() == ["x", text]


def test_lines_in_two_encodings_are_refused(tmp_path: Path) -> None:
    data = "report\ncaf\u00e9 and some more\n".encode() + "\u00e9t\u00e9 de plus\n".encode("cp1252")
    with pytest.raises(UserError, match="other parts of the file are UTF-8"):
        read_table(written(tmp_path / "m.csv", data))


def test_a_wrong_encoding_names_the_line_and_a_wrong_name_the_key(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", "report\ncaf\u00e9\n", "cp1252")
    with pytest.raises(UserError, match="line 2 is not text in utf-8; set data.encoding"):
        read_table(path, encoding="utf-8")
    with pytest.raises(UserError, match="data.encoding: 'utf-9' is not an encoding"):
        read_table(path, encoding="utf-9")


def test_compressed_text_is_read(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path / "m.csv.gz", gzip.compress(csv_text().encode()))) == ROWS
    with pytest.raises(UserError, match="damaged gzip"):
        read_table(written(tmp_path / "cut.gz", gzip.compress(csv_text().encode())[:40]))


def test_json_lines_are_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    lines = [json.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS]
    assert rows_of(written(tmp_path / "m.jsonl", "\n".join(lines))) == ROWS
    for bad in (f'["{CANARY}"]', f'{{"a": "{CANARY}"', f'{{"a": 1, "a": "{CANARY}"}}'):
        with pytest.raises(UserError, match="line 2 is not a JSON object") as caught:
            read_table(written(tmp_path / "m.jsonl", f"{lines[0]}\n{bad}\n"))
        assert CANARY not in str(caught.value)


def test_a_key_that_only_some_lines_have_is_empty_in_the_others(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "m.jsonl", '{"a": 7}\n\n{"b": null}\n{"b": "x"}\n'))
    assert [column.to_pylist() for column in table.cells] == [["7", "", "", ""], ["", "", "", "x"]]
    assert table.where(3) == "line 4"


def test_workbooks_are_read_as_text_by_their_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("reports")
    for row in [[], ["study_id", "n", "when"], [7, 2.5, pd.Timestamp("2020-01-02")], [None, "x"]]:
        book["reports"].append(row)
    book.save(tmp_path / "m.xlsx")
    table = read_table(tmp_path / "m.xlsx")
    assert table.names == ("study_id", "n", "when")
    assert [column.to_pylist() for column in table.cells] == [
        ["7", ""],
        ["2.5", "x"],
        ["2020-01-02", ""],
    ]
    assert table.where(1) == "row 4"


@pytest.mark.parametrize("data", [b"PK\3\4 no workbook", b"\xd0\xcf\x11\xe0 old", b"PAR1 nothing"])
def test_damaged_and_old_files_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError):
        read_table(written(tmp_path / "m.xlsx", data))


def test_a_file_without_a_header_is_said_to_have_none_and_nothing_of_it_is(tmp_path: Path) -> None:
    for separator in ",\t":
        path = written(
            tmp_path / "m.csv", separator.join(["007", CANARY, "normal", "train"]) + "\n"
        )
        with pytest.raises(UserError, match="has no header") as caught:
            read_table(path).refuse_missing(NAMES)
        assert CANARY not in str(caught.value)
        assert "007" not in str(caught.value)


def test_missing_columns_are_told_with_the_nearest_ones_and_no_content(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "m.csv", f"Study ID,report_text,{CANARY}\n1,2,3\n"))
    with pytest.raises(UserError) as caught:
        table.refuse_missing(NAMES)
    text = str(caught.value)
    assert "no column 'study_id', 'video_path', 'report', 'split'" in text
    assert "'Study ID' is like 'study_id'" in text
    assert "and 1 others" in text
    assert CANARY not in text


def test_blank_lines_above_the_header_are_counted(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "m.csv", "\n\na,b\n1,2\n"))
    assert (table.names, table.where(0)) == (("a", "b"), "line 4")


def test_all_rows_are_found_where_each_is(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "m.csv", 'a,b\n1,"x\ny"\n"2\n\n",3\n4,5\n'))
    assert table.whereabouts() == ["line 2", "line 4", "line 7"]
    assert table.whereabouts() == [table.where(row) for row in range(3)]


def test_the_careful_reader_counts_lines_below_a_preamble(tmp_path: Path) -> None:
    path = written(tmp_path / "m.csv", 'sep=;\na;b\n1;"x\ny"\n2\n')
    with pytest.raises(UserError, match="line 5 has 1 cells where the header has 2"):
        read_table(path)
