"""Which columns of a table and of its manifest are meant."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cinelex.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a command line says of a table; what it leaves out is guessed from usual names."""

    manifest: Path
    ids: Path | None = None
    key: str | None = None
    embeddings: Sequence[str] = ()
    scores: Sequence[str] = ()
    texts: Sequence[str] = ()
    where: Sequence[str] = ()
    split: str | None = None
    split_column: str = "split"
    patient: str | None = None
    same: Sequence[str] = ()
    subgroups: Sequence[str] = ()
    metadata: Sequence[str] = ()

    KEYS: ClassVar = (
        *("video_id", "clip_id", "sop_instance_uid", "video", "video_path", "filename", "path"),
        *("series_id", "study_id", "study", "accession", "image_id", "sample_id", "id"),
    )
    """Names of ids, those of smaller things first."""
    PATIENTS: ClassVar = ("patient_id", "patient", "subject_id", "subject", "mrn")
    STUDIES: ClassVar = ("study_id", "study", "accession", "series_id", "content_hash", "sha256")
    REPORTS: ClassVar = ("report", "text", "findings", "impression", "caption")
    METADATA: ClassVar = (
        *("frames", "num_frames", "n_frames", "frame_count", "fps", "frame_rate", "duration"),
        *("seconds", "width", "height", "rows", "columns", "bytes", "file_size", "brightness"),
        *("manufacturer", "vendor", "model", "scanner", "device", "site", "institution", "date"),
        *("study_date", "year", "pixel_spacing"),
    )
    """Columns that know the machine and not the patient."""


def guessed(table: Container[str], manifest: Container[str]) -> str:
    """Return the name of the ids that both have.

    Raises:
        UserError: They share no usual name.
    """
    found = next((name for name in Wanted.KEYS if name in table and name in manifest), None)
    if found is None:
        raise UserError(
            "table and manifest share no column of a usual name for ids "
            f"({', '.join(Wanted.KEYS[-4:])} …); name it with --key"
        )
    return found


def pair_of(text: str, option: str) -> tuple[str, str]:
    """Return both sides of ``name=value``.

    Raises:
        UserError: There is no ``=``.
    """
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise UserError(f"{option} {text}: expected two names with = between them")
    return name, value
