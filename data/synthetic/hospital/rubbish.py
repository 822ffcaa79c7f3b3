"""Files that nobody can use: cut, empty, or no DICOM at all."""

from typing import Final

import numpy as np

from cinelex.data.synthetic.hospital.cines import US_CINE, XRAY_CINE
from cinelex.data.synthetic.hospital.headers import write
from cinelex.data.synthetic.hospital.naming import Names
from cinelex.data.synthetic.hospital.objects import stack
from cinelex.data.synthetic.hospital.truth import FileTruth
from cinelex.data.synthetic.hospital.visits import Visit

RUBBISH: Final = ("empty", "text", "thumbs", "noise", "picture")


def cut_file(visit: Visit, names: Names, draw: np.random.Generator) -> FileTruth:
    """Write a cine that ends in its header or in its pixels."""
    number = names.next_number()
    header = stack(visit, number, draw).header
    header.SOPClassUID = US_CINE if visit.machine.modality == "US" else XRAY_CINE
    header.Modality = visit.machine.modality
    del header.SliceVector, header.FrameIncrementPointer
    header.FrameTime = "66.6667"
    path = names.take(header, number)
    write(header, path, syntax="explicit")
    content = path.read_bytes()
    in_header = bool(draw.random() < 0.4)
    path.write_bytes(content[: 300 if in_header else int(len(content) * draw.uniform(0.5, 0.95))])
    return FileTruth(
        path=names.below(path), kind="refused", reason="cut_header" if in_header else "cut_pixels",
        study=visit.plan.id, patient=visit.plan.patient_id,
        study_uid=visit.study_uid, patient_id=visit.patient.id,
        instance_uid=header.SOPInstanceUID, modality=visit.machine.modality,
        also_ok="not_image" if in_header else "",
    )  # fmt: skip


def rubbish_file(visit: Visit, names: Names, draw: np.random.Generator) -> FileTruth:
    """Write a file that is no DICOM: nothing, words, what a system leaves, noise, or a picture."""
    what = RUBBISH[int(draw.integers(len(RUBBISH)))]
    number = names.next_number()
    name = {"text": f"{visit.patient.name.family} {number}.txt", "thumbs": "Thumbs.db"}
    path = names.folder / name.get(what, f"IM9{number:05d}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_content(what, visit, draw))
    return FileTruth(
        path=names.below(path), kind="refused", reason="empty" if what == "empty" else "not_dicom",
        also_ok="not_image", study=visit.plan.id, patient=visit.plan.patient_id,
    )  # fmt: skip


def _content(what: str, visit: Visit, draw: np.random.Generator) -> bytes:
    """Return what such a file holds."""
    match what:
        case "empty":
            return b""
        case "text":
            return f"Call {visit.patient.name.given} back. {visit.phrase}.\n".encode("latin-1")
        case "thumbs":
            return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + draw.bytes(600)
        case "picture":
            return b"\x89PNG\r\n\x1a\n" + draw.bytes(400)
        case _:
            return draw.bytes(5000)
