"""Manifests that nobody would write, by the thousand: read, or refused in one line without content.

``python -m benchmarks.fuzz_manifests --count 5000``; a manifest that ends in anything but
studies or a ``UserError``, that takes too long, or of which a message, or anything else that is
written to the standard streams, repeats a planted cell, stops it with the case.
"""

import argparse
import gzip
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.presence import missing_videos, where_others_are, where_they_are
from cinelex.data.studies.splits import Shares
from cinelex.projects.studies.manifests import counted

CANARY = "ZQXJ"
"""In every planted cell; no word, column or path of ours holds it."""
HEADER = ("study_id", "video_path", "report", "split", "patient_id", "view", "primary_angle")
MAX_S = 20.0
"""Of processor time."""
ODD = st.one_of(
    st.sampled_from(
        ["", " ", "\0", "\x1b", "\x96", "../x", "/etc/passwd", "http://x", "-i", "$(rm)", "C:\\x"]
        + [
            "store:1",
            "store:../1",
            "a//b",
            "./a",
            "nan",
            "1e999",
            '"',
            '""',
            "\n",
            "\r",
            "x" * 9999,
        ]
    ),
    st.text(max_size=12),
).map(lambda text: text + CANARY)
FORMS = ("csv", "csv", "csv", "csv.gz", "jsonl", "json", "xlsx", "parquet", "bytes")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "gb18030", "latin-1", "utf-32")


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a file's ending and content: a sound manifest with a few things changed."""
    header = list(draw(st.sampled_from([HEADER, HEADER[:4], HEADER[:3], HEADER[1:], ()])))
    if draw(st.integers(0, 9)) == 0 and header:
        header.append(draw(st.sampled_from([header[0], f"{CANARY} name", "", "Split"])))
    rows = [_row(number, header or HEADER) for number in range(draw(st.integers(0, 6)))]
    for row in rows:
        if draw(st.integers(0, 9)) == 0:
            row[draw(st.integers(0, len(row) - 1))] = draw(ODD)
    form = draw(st.sampled_from(FORMS))
    data = _written(draw, form, header, rows)
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, 1 << 20)) % (len(data) + 1)
        data = data[:place] + draw(st.binary(max_size=4)) + data[place + draw(st.integers(0, 9)) :]
    return form, data


def _row(number: int, header: Sequence[str]) -> list[str]:
    """Return a sound row, two of each study."""
    study = number // 2
    cells = {
        "study_id": f"{CANARY}{study}",
        "video_path": f"v/{CANARY}{number}.mp4",
        "report": f"{CANARY} 70\u201380 %{(' ', chr(10))[number % 2]}{study}",
        "split": ("train", " Valid", "TEST")[study],
        "patient_id": f"{CANARY}p{study}" if number % 2 else "",
        "view": "lao",
        "primary_angle": "-30.5",
    }
    return [cells.get(name, f"{CANARY}x") for name in header]


def _written(draw: st.DrawFn, form: str, header: list[str], rows: list[list[str]]) -> bytes:
    if form == "bytes":
        return draw(st.binary(max_size=200)) + CANARY.encode()
    if form in ("jsonl", "json"):
        objects = [dict(zip(header, row, strict=False)) for row in rows]
        return (
            "\n".join(map(json.dumps, objects)) if form == "jsonl" else json.dumps(objects)
        ).encode()
    if form == "parquet":
        columns = {name: [row[n] for row in rows] for n, name in enumerate(header)}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        return buffer.getvalue()
    if form == "xlsx":
        return _workbook([header, *rows])
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    quoted = draw(st.integers(0, 4))
    lines = [header, *rows] if header else rows
    text = draw(st.sampled_from(["", "", f"sep={separator}\r\n", "\n"]))
    for line in lines:
        text += separator.join(cell if not quoted else _quoted(cell) for cell in line) + "\r\n"
    data = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return gzip.compress(data) if form == "csv.gz" else data


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _workbook(rows: list[list[str]]) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", c) for c in row])
    book.save(buffer)
    return buffer.getvalue()


def fuzz(folder: Path, *, count: int) -> Counter[str]:
    """Return how many manifests were read, and how many refused.

    Args:
        folder: Where they are written, one at a time.
        count: How many are tried.
    """
    seen: Counter[str] = Counter()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=manifests(), by_patient=st.booleans())
    def one(case: tuple[str, bytes], by_patient: bool) -> None:
        form, data = case
        path = folder / f"m.{form}"
        path.write_bytes(data)
        began, heard = time.process_time(), io.StringIO()
        try:
            shares = Shares(train=0.5, val=0.25, test=0.25) if by_patient else None
            with redirect_stdout(heard), redirect_stderr(heard):
                manifest = load_manifest(path, shares=shares)
                manifest.studies.report_groups()
                missing = missing_videos(manifest.studies)
                message = where_they_are(manifest.studies, beside=folder) if missing.all() else ""
                message += where_others_are(manifest.studies, missing) if missing.any() else ""
                message += counted(manifest, manifest.studies)
                assert CANARY not in message, form
                manifest.split("absent")
        except UserError as error:
            message = str(error)
        seen["refused" if "split 'absent'" not in message else "read"] += 1
        assert "\n" not in message
        assert CANARY not in message + heard.getvalue(), form
        assert time.process_time() - began < MAX_S

    one()
    return seen


def main() -> None:
    """Try as many as are asked for, and say how many were read and refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        seen = fuzz(Path(folder), count=parser.parse_args().count)
        say(f"{dict(seen)} in {time.monotonic() - started:.0f} s: no other error, leak or hang")


if __name__ == "__main__":
    main()
