"""Sets in which every id, path and word of a report holds a word that nobody else writes.

What a command says is searched for it: it may stand in no message, whatever goes wrong.
"""

import csv
import io
import re
from pathlib import Path

import numpy as np

from cinelex.data.eq.file import COLUMNS
from cinelex.data.synthetic.equalizer import EqSetSettings, eq_file_text
from tests.data.conftest import write

CANARY = "ZQXJ"
"""In every planted cell; no word, column or path of ours holds it."""
LEAK = re.compile(CANARY, re.IGNORECASE)
"""Reports may be told in lower case by a tokenizer."""
HEADER = ("study_id", "patient_id", "video_path", "report", "split", "view", "site")
STUDIES = 24
SICK = ("sound", "two_bad", "damaged", "no_test", "differs", "no_split", "nowhere")
"""Manifests over the same videos: as they should be, and as users have them."""
PERSONAL = ("id", "ip", "genre", "instrument", "location", "experience", "language", "checksum")


def plant_studies(folder: Path) -> None:
    """Write small videos, and a manifest for each entry of ``SICK``."""
    rows = [_row(folder, study, view) for study in range(STUDIES) for view in range(1 + study % 2)]
    (folder / "videos" / f"{CANARY}.mp4").write_text(f"<html>{CANARY}")
    for kind in SICK:
        with (folder / f"{kind}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            header = HEADER if kind != "no_split" else [n for n in HEADER if n != "split"]
            writer.writerow(header)
            writer.writerows([row[name] for name in header] for row in _sickened(rows, kind))


def _row(folder: Path, study: int, view: int) -> dict[str, str]:
    name = f"videos/{CANARY} {study} {view}.mp4"
    pixels = np.full((6, 40, 48, 3), 60 + 5 * study, np.uint8)
    for frame in range(6):
        pixels[frame, 5 + 9 * view : 15 + 9 * view, 4 + 3 * frame : 16 + 3 * frame] = 200
    write(folder / name, pixels, pix_fmt="yuv420p")
    vessel = ("LAD", "circumflex", "RCA")[study % 3]
    report = f"{CANARY}{study} dominant. {10 * (1 + study % 9)}% stenosis of the mid {vessel}."
    return {
        "study_id": f"{CANARY}s{study}",
        "patient_id": f"{CANARY}p{study // 2 * 2}",
        "video_path": name,
        "report": report,
        "split": "train" if study < 14 else "val" if study < 18 else "test",
        "view": f"{CANARY}view{view}",
        "site": f"{CANARY}site{study % 3}",
    }


def _sickened(rows: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    """Return the rows of a manifest with one thing wrong."""
    rows = [dict(row) for row in rows]
    if kind == "no_test":
        return [row for row in rows if row["split"] != "test"]
    if kind == "differs":
        rows[1]["report"] += f" {CANARY} otherwise."
    bad = {"two_bad": (2, 5), "nowhere": range(len(rows)), "damaged": (2, 5)}.get(kind, ())
    for number in bad:
        found = f"videos/{CANARY}" if kind == "damaged" else f"absent/{CANARY}{number}"
        rows[number]["video_path"] = f"{found}.mp4"
    return rows


def plant_settings(folder: Path, *, rows: int, people: int) -> None:
    """Write a file of equaliser settings of which every cell that leads to a person is planted."""
    made = eq_file_text(EqSetSettings(rows=rows, people=people, seed=0, label_noise=0.05))
    stream = io.StringIO()
    writer = csv.writer(stream)
    for cells in csv.reader(io.StringIO(made)):
        for name in PERSONAL:
            cells[COLUMNS.index(name)] = CANARY + cells[COLUMNS.index(name)]
        writer.writerow(cells)
    (folder / "settings.csv").write_text(stream.getvalue(), encoding="utf-8")
