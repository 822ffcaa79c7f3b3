"""What a manifest says of a study, in which columns, and the names of splits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

SPLIT_NAMES = {
    **{"training": "train", "testing": "test"},
    **dict.fromkeys(("valid", "validation", "dev", "development"), "val"),
}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of the manifest holds what."""

    study: str = "study_id"
    video: str = "video_path"
    report: str | None = "report"
    """None reads no report, as inference may; every study then has an empty one."""
    split: str | None = "split"
    """None puts every study in the split "all"."""
    patient: str | None = None
    """None takes ``patient_id`` where the file has it, else each study for a patient of its own."""
    noise_mse: str | None = None
    """Known noise of each video in squared gray levels of [0, 1]; a study gets the mean."""
    view: str | None = None
    """Name of each video's view; None takes ``view`` where the file has it."""
    primary_angle: str | None = None
    """Degrees, RAO negative and LAO positive; None takes ``primary_angle`` where it is there."""
    secondary_angle: str | None = None
    """Degrees, caudal negative, cranial positive; None as above."""
    extra: tuple[str, ...] = ()
    """Further columns to keep beside the study, such as those of subgroups."""

    def named(self) -> list[str]:
        """Return the columns that a file must have."""
        values = [getattr(self, field.name) for field in fields(self) if field.name != "extra"]
        return [*(value for value in values if value is not None), *self.extra]

    def found_in(self, names: Sequence[str]) -> "Columns":
        """Return these columns with those of usual names added that a file has."""
        usual = {"patient": "patient_id", "view": "view"}
        usual |= {name: name for name in ("primary_angle", "secondary_angle")}
        there: dict[str, Any] = {
            field: name
            for field, name in usual.items()
            if getattr(self, field) is None and name in names
        }
        return replace(self, **there)


@dataclass(frozen=True, slots=True)
class Study:
    """Several videos of one patient and the report written about them.

    The report is left out of ``repr``, so that no log line or traceback can carry it.
    """

    id: str
    patient_id: str
    """The study's own id where the manifest has no patient column."""
    videos: tuple[Path, ...]
    """Absolute paths, in the manifest's order; at least one."""
    report: str = field(repr=False)
    split: str
    """"train", "val", "test", or whatever else the manifest says, in lower case."""
    views: tuple[str, ...] = ()
    """Of each video, in lower case, "" where unknown; empty where the manifest names none."""
    angles: tuple[tuple[float | None, float | None], ...] = ()
    """Of each video, primary and secondary in degrees; empty where the manifest has none."""
    noise_mse: float | None = None
    """Mean squared error below which no reconstruction can be, with gray levels in [0, 1]."""
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further columns of the study's first row, by column name."""


def split_name(text: str) -> str:
    """Return a split's name as studies carry it: "Validation", "valid" and "dev" are "val"."""
    plain = text.strip().lower()
    return SPLIT_NAMES.get(plain, plain)
