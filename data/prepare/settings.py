"""What the road from a folder of DICOM files to a data set depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SplitBy = Literal["random", "time", "site", "manufacturer"]


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """Where the reports are, and what of them is kept."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Fields ("accession", "study_uid", "patient", "date", "text") by the name of their column;
    the others are found by their usual names."""
    separator: str | None = None
    """None finds it."""
    encoding: str | None = None
    """None finds it."""
    window_days: int = 3
    """A report that names neither accession nor study is that patient's study of the same day, or
    else of at most so many days before."""
    sections: tuple[str, ...] = ("findings", "conclusion")
    """Sections that are kept, of a report that has any of them; another one is kept whole."""
    headings: Path | None = None
    """YAML file of the headings of each section; None takes the one that comes along."""


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How patients are shared out."""

    by: SplitBy = "random"
    val: float = 0.1
    """Share of the patients; by site or manufacturer, unused."""
    test: float = 0.1
    val_groups: tuple[str, ...] = ()
    """Sites or manufacturers to validate on."""
    test_groups: tuple[str, ...] = ()
    val_from: str | None = None
    """First day (YYYY-MM-DD) of the validation studies of a split by time; None takes shares."""
    test_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """Everything but the folders."""

    modalities: tuple[str, ...] = ("US", "XA")
    """Modalities whose cines are kept."""
    min_confidence: float = 0.9
    """Masks below it wait for a person."""
    workers: int = 1
    """Children at work at once."""
    inspect_s: float = 20.0
    """Seconds that a header may take."""
    decode_s: float = 300.0
    """Seconds that a cine may take."""
    retry: bool = False
    """Try again what missed its deadline or killed its child in an earlier run."""
    max_review: int = 500
    """Masks on the review page at once."""
    reports: ReportSettings = field(default_factory=ReportSettings)
    splits: SplitSettings = field(default_factory=SplitSettings)
