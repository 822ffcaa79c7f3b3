"""Make a synthetic study set on disk: H.264 files and a CSV manifest, cached by its settings."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from cinelex.core.files import hash_json, write_json, write_whole
from cinelex.core.folders import make_once
from cinelex.core.processes import child_environment
from cinelex.core.progress import progress
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import StudyPlan
from cinelex.data.synthetic.cines.worker import Row, write_study

FORMAT: Final = 4
"""Goes up whenever the same settings give other files."""
COLUMNS: Final = (
    "study_id",
    "patient_id",
    "video_path",
    "report",
    "split",
    "view",
    "noise_mse",
    "findings",
)


def study_set_folder(settings: StudySetSettings, folder: Path) -> Path:
    """Return where in `folder` the set with these settings lives, made or not."""
    return folder / f"synthetic-{hash_json({'format': FORMAT, **asdict(settings)})[:16]}"


def make_study_set(
    settings: StudySetSettings, folder: Path, *, processes: int | None = None
) -> Path:
    """Make the set unless it is there, and return its manifest.csv.

    A set appears whole or not at all; whoever asks for a set that another process is making waits.

    Args:
        settings: What to make.
        folder: Where sets are kept; each has a subfolder named by the hash of its settings.
        processes: How many processes render; None means one per core that this one may use.
    """
    workers = processes or len(os.sched_getaffinity(0))
    final = make_once(
        study_set_folder(settings, folder), lambda partial: _make(settings, partial, workers)
    )
    return final / "manifest.csv"


def _make(settings: StudySetSettings, folder: Path, processes: int) -> None:
    """Render all studies into an empty folder."""
    (folder / "videos").mkdir()
    rows = _render_all(plan_studies(settings), settings, folder, processes)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_json(folder / "settings.json", {"format": FORMAT, **asdict(settings)})
    write_whole(folder / "manifest.csv", text.getvalue())


def _render_all(
    plans: list[StudyPlan], settings: StudySetSettings, folder: Path, processes: int
) -> list[Row]:
    """Write all studies, over `processes` processes, and return their manifest rows in order."""
    made: Iterator[list[Row]]
    if processes == 1:
        made = (write_study(plan, settings, folder) for plan in plans)
    else:
        made = _render_in_processes(plans, settings, folder, processes)
    return [row for rows in progress(made, total=len(plans), what="studies") for row in rows]


def _render_in_processes(
    plans: list[StudyPlan], settings: StudySetSettings, folder: Path, processes: int
) -> Iterator[list[Row]]:
    """Deal the studies out to workers like cards and yield their rows in the order of `plans`."""
    workers = [_start_worker(plans[n::processes], settings, folder) for n in range(processes)]
    try:
        for number in range(len(plans)):
            worker = workers[number % processes]
            assert worker.stdout is not None
            line = worker.stdout.readline()
            if not line:
                raise RuntimeError(f"a rendering process ended early with code {worker.wait()}")
            yield json.loads(line)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def _start_worker(
    plans: list[StudyPlan], settings: StudySetSettings, folder: Path
) -> "subprocess.Popen[str]":
    """Start a worker with its share of the studies; it uses one thread and the same modules."""
    task = {
        "settings": asdict(settings),
        "folder": str(folder.resolve()),
        "studies": [plan.to_json() for plan in plans],
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "cinelex.data.synthetic.cines.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(task))
    worker.stdin.close()
    worker.stdin = None
    return worker
