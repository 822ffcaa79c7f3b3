"""The files of one study. As a program, a process that writes studies.

The program reads a `Task` and answers a line of JSON a study: its rows of truth. It imports neither
torch nor whoever started it.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from cinelex.data.synthetic.hospital.cines import CineFiles
from cinelex.data.synthetic.hospital.headers import write
from cinelex.data.synthetic.hospital.naming import Names
from cinelex.data.synthetic.hospital.objects import MAKERS
from cinelex.data.synthetic.hospital.rubbish import cut_file, rubbish_file
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.truth import FileTruth
from cinelex.data.synthetic.hospital.visits import Visit


@dataclass(frozen=True)
class Task:
    """What a writing process is told."""

    settings: HospitalSettings
    folder: Path
    visits: list[Visit]


TASK: Final = TypeAdapter(Task)


def write_visit(visit: Visit, settings: HospitalSettings, folder: Path) -> list[FileTruth]:
    """Write all files of one study below `folder`/export, and return the truth about each."""
    draw = np.random.default_rng((settings.studies.seed, 11, visit.number))
    names = Names(visit, folder / "export")
    cines = CineFiles(visit, settings, folder, names)
    rows = [row for place in range(len(visit.plan.cines)) for row in cines.write(place)]
    rows += _write_objects(visit, settings, names, draw)
    if draw.random() < settings.cut_rate:
        rows.append(cut_file(visit, names, draw))
    if draw.random() < settings.rubbish_rate:
        rows.append(rubbish_file(visit, names, draw))
    return rows


def _write_objects(
    visit: Visit, settings: HospitalSettings, names: Names, draw: np.random.Generator
) -> Iterator[FileTruth]:
    """Write what is DICOM and no cine: a still and a report always, others now and then."""
    rates = {
        "still": 1.0, "report": 1.0, "capture": settings.capture_rate,
        "document": settings.document_rate, "stack": settings.stack_rate,
        "presentation": settings.presentation_rate, "index": settings.index_rate,
    }  # fmt: skip
    for kind, make in MAKERS.items():
        if draw.random() >= rates[kind]:
            continue
        number = names.next_number()
        oddity = make(visit, number, draw)
        path = names.index() if kind == "index" else names.take(oddity.header, number)
        write(oddity.header, path, syntax="explicit")
        yield FileTruth(
            path=names.below(path), kind=oddity.kind, reason=oddity.reason,
            also_ok=oddity.also_ok, study=visit.plan.id, patient=visit.plan.patient_id,
            study_uid=oddity.header.get("StudyInstanceUID"),
            patient_id=oddity.header.get("PatientID"),
            instance_uid=oddity.header.SOPInstanceUID, modality=oddity.header.get("Modality"),
        )  # fmt: skip


if __name__ == "__main__":
    task = TASK.validate_json(sys.stdin.buffer.read())
    for each in task.visits:
        truth = [asdict(row) for row in write_visit(each, task.settings, task.folder)]
        sys.stdout.write(json.dumps(truth) + "\n")
        sys.stdout.flush()
