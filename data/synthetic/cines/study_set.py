"""Make a synthetic study set on disk: H.264 files and a CSV manifest, cached by its settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cinelex.core.cores import usable_cores
from cinelex.core.csv_text import csv_text
from cinelex.core.files import write_whole
from cinelex.core.progress import progress
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import COLUMNS, TASK, Row, StudyPlan, Task, write_study
from cinelex.data.synthetic.sets import make_set
from cinelex.data.synthetic.workers import answers_in_turn

FORMAT: Final = 4
"""Goes up whenever the same settings give other files."""
SMALL: Final = 1_000_000
"""Pixels of all frames, with one cine a study, that one process renders in about two seconds."""


def make_study_set(
    settings: StudySetSettings, folder: Path, *, processes: int | None = None
) -> Path:
    """Make the set below `folder` unless it is there, and return its manifest.csv.

    `processes` render, one per core that this one may use where it is None; a small set is made
    here, before another process has even started.
    """

    def make(partial: Path) -> None:
        (partial / "videos").mkdir()
        plans = plan_studies(settings)
        pixels = len(plans) * settings.frames * settings.size**2
        workers = processes or (1 if pixels < SMALL else usable_cores())
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
    dumped = [TASK.dump_json(task) for task in tasks]
    return answers_in_turn("cinelex.data.synthetic.cines.studies", dumped, count=len(plans))
