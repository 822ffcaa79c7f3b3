"""Make a made-up hospital on disk, once for equal settings, on all cores."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from cinelex.core.cores import usable_cores
from cinelex.core.files import write_json
from cinelex.core.progress import progress
from cinelex.data.synthetic.hospital.canaries import list_canaries
from cinelex.data.synthetic.hospital.planning import plan_visits
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.sheets import Entry, list_reports, write_sheets
from cinelex.data.synthetic.hospital.study import TASK, Task, write_visit
from cinelex.data.synthetic.hospital.truth import FileTruth, write_files
from cinelex.data.synthetic.hospital.visits import TOP_AGE, Visit
from cinelex.data.synthetic.sets import make_set
from cinelex.data.synthetic.workers import answers_in_turn

FORMAT: Final = 4
"""Goes up whenever the same settings give other files."""


def make_hospital(
    settings: HospitalSettings, folder: Path, *, processes: int | None = None
) -> Path:
    """Make the hospital below `folder` unless it is there, and return its own folder.

    In it are `export` (the DICOM files and what lies among them), the file of reports in several
    forms (`reports.csv`, …), and `truth`. `processes` write, one per core that this one may use
    where it is None.
    """
    workers = processes or usable_cores()

    def make(partial: Path) -> None:
        (partial / "truth" / "masks").mkdir(parents=True)
        visits = plan_visits(settings)
        made: Iterator[list[FileTruth]]
        if workers == 1:
            made = (write_visit(visit, settings, partial) for visit in visits)
        else:
            made = _write_in_processes(visits, settings, partial, workers)
        rows = [row for study in progress(made, total=len(visits), what="studies") for row in study]
        entries = list_reports(visits, settings)
        write_sheets(entries, partial)
        write_files(rows, partial / "truth" / "files.parquet")
        _write_studies(visits, entries, rows, partial / "truth")
        write_json(partial / "truth" / "canaries.json", list_canaries(visits))

    return make_set("hospital", settings, folder, version=FORMAT, make=make)


def _write_studies(
    visits: Sequence[Visit], entries: Sequence[Entry], rows: Sequence[FileTruth], folder: Path
) -> None:
    """Write a row a study and a row a report."""
    by_study = {entry.study: entry for entry in entries}
    studies = []
    for visit in visits:
        plan, entry = visit.plan, by_study.get(visit.plan.id)
        studies.append({
            "study": plan.id, "study_uid": visit.study_uid, "accession": visit.accession,
            "patient": plan.patient_id, "patient_id": visit.patient.id, "split": plan.split,
            "date": visit.when.date().isoformat(), "year": visit.when.year,
            "age": min(visit.age, TOP_AGE), "sex": visit.patient.sex, "site": visit.site.name,
            "manufacturer": visit.machine.manufacturer, "model": visit.machine.model,
            "modality": visit.machine.modality, "has_report": entry is not None,
            "report": plan.report if entry else None, "named": bool(entry and entry.named),
            "findings": json.dumps(plan.findings.to_json()), "cines": len(plan.cines),
        })  # fmt: skip
    pq.write_table(pa.Table.from_pylist(studies), folder / "studies.parquet")
    reports = [
        {"row": number, **{name: value for name, value in asdict(entry).items() if name != "cells"}}
        for number, entry in enumerate(entries)
    ]
    pq.write_table(pa.Table.from_pylist(reports), folder / "reports.parquet")


def _write_in_processes(
    visits: list[Visit], settings: HospitalSettings, folder: Path, processes: int
) -> Iterator[list[FileTruth]]:
    """Deal the visits out to workers like cards and yield their rows in the order of `visits`."""
    tasks = [Task(settings, folder.resolve(), visits[n::processes]) for n in range(processes)]
    dumped = [TASK.dump_json(task) for task in tasks]
    program = "cinelex.data.synthetic.hospital.study"
    for rows in answers_in_turn(program, dumped, count=len(visits)):
        yield [FileTruth(**row) for row in rows]
