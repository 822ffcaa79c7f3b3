"""What a run learns comes from its pairs: with shuffled reports it falls to chance.

The studies are as easy as can be (a bright square in one of 16 places, and the place in words), so
that a run of seconds learns them; in the control nothing differs but which report goes with which
training study. The test studies keep their own reports in both.
"""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinelex.core.randomness import numpy_generator
from cinelex.data.synthetic.cines.video import encode_grey
from tests.tiny_run import arguments, succeed

pytestmark = pytest.mark.slow

SIDE, FRAMES, COPIES = 4, 8, 4
ROWS = ("top", "upper", "lower", "bottom")
COLUMNS = ("far left", "left", "right", "far right")
PLACES = SIDE * SIDE


def report(place: int) -> str:
    return f"The square is at the {ROWS[place // SIDE]} {COLUMNS[place % SIDE]}."


def video(place: int, study: int) -> bytes:
    """Return a noisy video of the square."""
    frames = numpy_generator("square", study).integers(40, 80, (FRAMES, 32, 32), dtype=np.uint8)
    row, column = 8 * (place // SIDE), 8 * (place % SIDE)
    frames[:, row : row + 8, column : column + 8] += 150
    return encode_grey(frames).content


def write_manifest(folder: Path, *, shuffled: bool) -> Path:
    """Write the studies; if asked to, permute the reports of the training split."""
    places = {"train": np.arange(COPIES * PLACES) % PLACES, "test": np.arange(PLACES)}
    told = dict(places)
    if shuffled:
        told["train"] = numpy_generator("shuffle", 0).permutation(places["train"])
    lines = [("study_id", "video_path", "report", "split")]
    for split, of_split in places.items():
        for number, (place, said) in enumerate(zip(of_split, told[split], strict=True)):
            name = f"{split}-{number}.mp4"
            (folder / name).write_bytes(video(int(place), len(lines)))
            lines.append((f"{split}-{number}", name, report(int(said)), split))
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return folder / "manifest.csv"


def retrieval(folder: Path, *, shuffled: bool) -> dict[str, Any]:
    """Train the shipped multitask config on the squares, and return what it retrieves."""
    manifest = write_manifest(folder, shuffled=shuffled)
    steps = ("steps=50", "optimizer.warmup_steps=5", "validate_every=0", "checkpoint_every=50")
    more = (f"data.manifest={manifest}", "name=run", "batch=24", "optimizer.learning_rate=3e-3")
    bootstrap = "evaluation.bootstrap=500"
    succeed(arguments(folder, folder / "cache", *steps, *more, bootstrap))
    results = json.loads((folder / "run" / "results.json").read_text())
    found: dict[str, Any] = results["retrieval"]
    assert found["gallery"] == {"study_to_report": PLACES, "report_to_study": PLACES}
    return found


DIRECTIONS = ("study_to_report", "report_to_study")


def test_true_pairs_are_found_far_above_chance(tmp_path: Path) -> None:
    found = retrieval(tmp_path, shuffled=False)
    for direction in DIRECTIONS:
        for metric in ("recall_at_1", "recall_at_5"):
            entry = found[direction][metric]
            assert entry["low"] > entry["chance"], (direction, metric, entry)


def test_shuffled_pairs_are_found_by_chance_alone(tmp_path: Path) -> None:
    found = retrieval(tmp_path, shuffled=True)
    for direction in DIRECTIONS:
        for metric in ("recall_at_1", "recall_at_5"):
            entry = found[direction][metric]
            assert entry["low"] <= entry["chance"] <= entry["high"], (direction, metric, entry)
    assert abs(found["cosine_gap"]["value"]) < 0.2, "true pairs reach 1"


def test_shuffling_changes_nothing_but_the_order_of_training_reports(tmp_path: Path) -> None:
    tables = []
    for name, shuffled in (("true", False), ("shuffled", True)):
        (tmp_path / name).mkdir()
        with write_manifest(tmp_path / name, shuffled=shuffled).open(newline="") as stream:
            tables.append(list(csv.DictReader(stream)))
    true, wrong = tables
    moved = [a["report"] != b["report"] for a, b in zip(true, wrong, strict=True)]
    assert sum(moved[: COPIES * PLACES]) > 0.8 * COPIES * PLACES
    assert not any(moved[COPIES * PLACES :])
    assert sorted(row["report"] for row in true) == sorted(row["report"] for row in wrong)
    columns = ("study_id", "video_path", "split")
    for a, b in zip(true, wrong, strict=True):
        assert [a[name] for name in columns] == [b[name] for name in columns]
