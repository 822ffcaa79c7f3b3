"""What one study is, once the manifest has been checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
