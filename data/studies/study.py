"""What a manifest says, once it has been checked: its columns, its studies, its splits."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cinelex.core.errors import UserError

SPLIT_NAMES = {"training": "train", "valid": "val", "validation": "val", "dev": "val"}


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
    """None takes every study for a patient of its own."""
    noise_mse: str | None = None
    """Known noise of each video in squared gray levels of [0, 1]; a study gets the mean."""
    extra: tuple[str, ...] = ()
    """Further columns to keep beside the study."""


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
    noise_mse: float | None = None
    """Mean squared error below which no reconstruction can be, with gray levels in [0, 1]."""
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further columns of the study's first row, by column name."""


@dataclass(frozen=True)
class Manifest:
    """The studies of a manifest, and what was left out."""

    path: Path
    video_root: Path
    """Absolute."""
    studies: tuple[Study, ...]
    """In order of appearance."""
    dropped: Mapping[str, int]
    """Studies left out: "empty_report", "no_video"."""
    reports_cut: int
    """Reports longer than the limit, which were cut there."""
    hash: str
    """Of the file's bytes and the way it was read."""

    def split(self, name: str) -> list[Study]:
        """Return the studies of one split, by any of its names (see ``split_name``).

        Raises:
            UserError: There is no such split; the message lists those there are.
        """
        found = [study for study in self.studies if study.split == split_name(name)]
        if not found:
            have = ", ".join(f"{split} ({count})" for split, count in self.splits().items())
            raise UserError(f"{self.path}: no study is in split {name!r}; there are {have}")
        return found

    def splits(self) -> dict[str, int]:
        """Return how many studies each split has, in order of appearance."""
        return dict(Counter(study.split for study in self.studies))


def split_name(text: str) -> str:
    """Return a split's name as studies carry it: "Validation", "valid" and "dev" are "val"."""
    plain = text.strip().lower()
    return SPLIT_NAMES.get(plain, plain)
