"""Make a synthetic study set on disk: H.264 files and a CSV manifest, cached by its settings."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cinelex.core.files import write_whole
from cinelex.core.processes import child_environment
from cinelex.core.progress import progress
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import COLUMNS, TASK, Row, StudyPlan, Task, write_study
from cinelex.data.synthetic.sets import csv_text, make_set, set_folder

FORMAT: Final = 4
"""Goes up whenever the same settings give other files."""


def study_set_folder(settings: StudySetSettings, folder: Path) -> Path:
    """Return where in `folder` the set with these settings lives, made or not."""
    return set_folder("synthetic", settings, folder, version=FORMAT)


def make_study_set(
    settings: StudySetSettings, folder: Path, *, processes: int | None = None
) -> Path:
    """Make the set below `folder` unless it is there, and return its manifest.csv.

    `processes` render, one per core that this one may use where it is None.
    """
    workers = processes or len(os.sched_getaffinity(0))

    def make(partial: Path) -> None:
        (partial / "videos").mkdir()
        plans = plan_studies(settings)
        made: Iterator[list[Row]]
        if workers == 1:
            made = (write_study(plan, settings, partial) for plan in plans)
        else:
            made = _render_in_processes(plans, settings, partial, workers)
        made = progress(made, total=len(plans), what="studies")
        rows = (row for study in made for row in study)
        write_whole(partial / "manifest.csv", csv_text([COLUMNS, *rows]))

    return make_set("synthetic", settings, folder, version=FORMAT, make=make) / "manifest.csv"


def _render_in_processes(
    plans: list[StudyPlan], settings: StudySetSettings, folder: Path, processes: int
) -> Iterator[list[Row]]:
    """Deal the studies out to workers like cards and yield their rows in the order of `plans`."""
    tasks = [Task(settings, folder.resolve(), plans[n::processes]) for n in range(processes)]
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for task in tasks:
            workers.append(_start_worker(task))
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


def _start_worker(task: Task) -> "subprocess.Popen[bytes]":
    """Start a worker with its share of the studies; it uses one thread and the same modules."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "cinelex.data.synthetic.cines.studies"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment(),
        process_group=0,  # Ctrl-C is for the parent, which ends this
    )
    assert worker.stdin is not None
    try:
        worker.stdin.write(TASK.dump_json(task))
        worker.stdin.close()
    except BaseException:
        # before its input ends, of which it would complain
        worker.kill()
        raise
    worker.stdin = None
    return worker
