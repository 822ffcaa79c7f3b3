"""Which columns of a table and of its manifest are meant."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.data.tables.usual import usual_columns


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


IDS = ("video_id", "video", "series", "study", "study_uid", "accession", "other_id")
"""What may hold ids, as ``data.tables.usual`` calls it; those of smaller things first."""
STUDIES = ("study", "study_uid", "accession", "series", "content")
REPORTS = ("report", "caption")
MACHINE = ("picture", "manufacturer", "model", "site", "date", "year")
"""What knows the machine and not the patient."""


def guessed(table: Container[str], manifest: Iterable[str]) -> str:
    """Return the name of the ids that both have.

    Raises:
        UserError: They share no usual name.
    """
    found = next((name for name in usual_columns(manifest, *IDS) if name in table), None)
    if found is None:
        raise UserError(
            "table and manifest share no column of a usual name for ids "
            "(video_id, study_id, accession, id …); name it with --key"
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
