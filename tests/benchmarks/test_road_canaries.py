"""What a made-up hospital invented is found wherever it is written, and only there."""

import json
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.road_canaries import Canaries, search
from benchmarks.road_checks import Checks

KNOWN: list[dict[str, Any]] = [
    {"text": "Zqönbasto", "kind": "name", "study": None},
    {"text": "ZQONBASTO", "kind": "name", "study": None},
    {"text": "QX1234567ZK", "kind": "id", "study": None},
    {"text": "19310417", "kind": "birth_date", "study": None},
    {"text": "12.03.2015", "kind": "study_date", "study": "study-000001"},
]


def hits(folder: Path) -> list[tuple[str, str, str]]:
    return search(Canaries.of(KNOWN), [folder]).hits


def in_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("cells.xml", "x" * 1000 + "QX1234567ZK")


def in_parquet(path: Path) -> None:
    table = pa.table({"report": [f"seen {'a' * 1000} qx1234567zk."]})
    pq.write_table(table, path, compression="zstd")


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.bin": lambda path: path.write_bytes(bytes(range(256)) + b"xQX1234567ZKx\0\xff"),
    "b.parquet": in_parquet,
    "c.zip": in_zip,
    "d.html": lambda path: path.write_text("<b>zqönbasto</b>"),
    "e.txt": lambda path: path.write_bytes("ZQÖNBASTO".encode("latin-1")),
    "f.json": lambda path: path.write_text('{"born": "19310417"}'),
    "g.jsonl": lambda path: path.write_text(json.dumps({"who": "Zqönbasto"})),
    "h.html": lambda path: path.write_text("<b>Zq&#246;nbasto</b>"),
    "i.html": lambda path: path.write_text(
        f'<img src="data:image/jpeg;base64,{b64encode(b"x" * 99 + b"QX1234567ZK").decode()}">'
    ),
    "QX1234567ZK.png": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("name", list(WRITERS))
def test_a_name_is_found_in_bytes_packed_files_and_paths(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    assert {where for where, _, _ in hits(tmp_path)} == {name}


def test_what_is_private_is_left_alone_and_counts_as_not_searched(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "names.txt").write_text("Zqönbasto")
    found = search(Canaries.of(KNOWN), [tmp_path])
    assert (found.hits, found.files) == ([], 0)


def test_digits_within_a_longer_word_are_chance(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("ab19310417cd and 319310417")
    assert hits(tmp_path) == []


def test_a_canary_too_short_to_be_told_from_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="found by chance"):
        Canaries.of([{"text": "Zq", "kind": "name", "study": None}])


def test_a_measure_that_misses_what_is_wanted_fails_the_table() -> None:
    checks = Checks()
    checks.add("worst IoU", 0.91, 0.90, rule="≥")
    checks.add("names found", 0, 0)
    assert not checks.failed
    checks.add("names found", 1, 0)
    assert checks.failed
    assert "| names found | 1 | = 0 | NO |" in checks.table()
