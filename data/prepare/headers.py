"""Stage 2: what of the headers may leave the hospital, under keys that lead nobody back."""

import json
from datetime import timedelta
from typing import Any

import pandas as pd

from cinelex.data.dicom.columns import parsed_date
from cinelex.data.dicom.pseudonyms import Pseudonyms
from cinelex.data.dicom.record import FileRecord

PUBLIC = (
    "study_id", "patient_id", "date", "year", "age", "sex", "site", "manufacturer", "model",
    "modality", "view", "primary_angle", "secondary_angle", "heart_rate", "time_source",
    "time_conflict", "transfer_syntax", "burned_in", "order",
)  # fmt: skip
"""Columns that may stand outside ``private/``."""
PRIVATE = (
    "patient", "study_uid", "series_uid", "instance_uid", "accession", "study_date", "names",
    "dates", "ids", "institution",
)  # fmt: skip


def read_headers(cines: pd.DataFrame, keys: Pseudonyms) -> pd.DataFrame:
    """Return what the headers of some cines say, public and private columns, by the same index.

    A header that names no patient is that of the patient whom the first other one of its study
    names, and where none does, the study is a patient of its own.
    """
    records = [FileRecord.from_json(json.loads(record)) for record in cines["record"]]
    studies = [_study(*pair) for pair in zip(records, cines["path"], strict=True)]
    named: dict[str, str] = {}
    for record, study in zip(records, studies, strict=True):
        if record.identity.patient:
            named.setdefault(study, record.identity.patient)
    rows = [
        _columns(record, study, record.identity.patient or named.get(study, study), keys)
        for record, study in zip(records, studies, strict=True)
    ]
    return pd.DataFrame(rows, index=cines.index, columns=[*PUBLIC, *PRIVATE])


def _study(record: FileRecord, path: bytes) -> str:
    """Return what tells one study from another: its UID, its accession number, or the folder."""
    own = record.identity
    return own.study_uid or own.accession or f"folder {path.rpartition(b'/')[0].hex()}"


def _columns(record: FileRecord, study: str, patient: str, keys: Pseudonyms) -> dict[str, Any]:
    own = record.identity
    day = parsed_date(own.study_date)
    moved = day + timedelta(keys.days(patient)) if day else None
    return {
        "study_id": keys.study(study),
        "patient_id": keys.patient(patient),
        "date": moved.isoformat() if moved else None,
        "year": moved.year if moved else None,
        "age": record.age_years,
        "sex": record.sex,
        "site": keys.site(own.institution)[:8] if own.institution else "",
        "manufacturer": record.manufacturer,
        "model": record.model,
        "modality": record.modality,
        "view": record.view,
        "primary_angle": record.primary_angle_deg,
        "secondary_angle": record.secondary_angle_deg,
        "heart_rate": record.heart_rate_per_min,
        "time_source": record.time_source or "unknown",
        "time_conflict": record.time_conflict,
        "transfer_syntax": record.transfer_syntax,
        "burned_in": record.burned_in,
        "order": record.order,
        "patient": patient,
        "study_uid": own.study_uid,
        "series_uid": own.series_uid,
        "instance_uid": own.instance_uid,
        "accession": own.accession,
        "study_date": day.isoformat() if day else None,
        "names": (own.patient_name, *own.names),
        "dates": (own.birth_date, own.study_date, *own.dates),
        "ids": tuple(filter(None, (own.patient_id, own.accession, own.study_uid))),
        "institution": own.institution,
    }
