"""What ``scripts/prepare.sh`` can be told with ``key=value``."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Count, Positive, Share, Strict

Name = Annotated[str, Field(min_length=1)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class ReportColumnsConfig(Strict):
    """Columns of the table of reports, by name; null finds a usual name."""

    accession: Name | None = None
    """Accession number."""
    study_uid: Name | None = None
    """StudyInstanceUID."""
    patient: Name | None = None
    """Patient ID."""
    date: Name | None = None
    """Day of the study or of the report."""
    text: Name | None = None
    """The report."""


class ReportsConfig(Strict):
    """How reports are read and joined."""

    columns: ReportColumnsConfig = ReportColumnsConfig()
    """Where each thing stands."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Character between the cells of a CSV; null finds it."""
    encoding: Name | None = None
    """Encoding of the text; null finds it."""
    window_days: Annotated[int, Field(ge=0, le=365)] = 3
    """Days that may lie between a report and the patient's study, where nothing else joins them."""
    sections: tuple[Name, ...] = ("findings", "conclusion")
    """Sections that are kept; a report without any of them is kept whole."""
    headings: Path | None = None
    """YAML file of each section's headings; null takes data/text/sections.yaml."""
    facts: Literal["coronary", "none"] = "coronary"
    """Kind of facts that are read from the reports."""


class SplitsConfig(Strict):
    """How patients are shared out over train, val and test."""

    by: Literal["random", "time", "site", "manufacturer"] = "random"
    """By the patient's key, by the day of the first study, or by whole sites or manufacturers."""
    val: Share = 0.1
    """Share of the patients to validate on; not by site or manufacturer."""
    test: Share = 0.1
    """Share of the patients to test on; not by site or manufacturer."""
    val_groups: tuple[Name, ...] = ()
    """Sites (by key or by name) or manufacturers to validate on."""
    test_groups: tuple[Name, ...] = ()
    """Sites (by key or by name) or manufacturers to test on."""
    val_from: Day | None = None
    """First day of the validation studies, by time; null chooses it once, by the shares."""
    test_from: Day | None = None
    """First day of the test studies, by time; null chooses it once, by the shares."""

    @model_validator(mode="after")
    def check_shares(self) -> Self:
        """Refuse splits that leave nothing to train on, and half a split by time."""
        if self.val + self.test >= 1:
            raise ValueError(f"val ({self.val}) and test ({self.test}) leave nothing to train on")
        if (self.val_from is None) != (self.test_from is None):
            raise ValueError("val_from and test_from belong together; give both, or neither")
        return self


class PrepareConfig(Strict):
    """All options of the road from a folder of DICOM files to a data set."""

    modalities: tuple[Literal["US", "XA", "XA_ENHANCED", "RF", "IVUS"], ...] = ("US", "XA")
    """Modalities whose cines are kept."""
    min_confidence: Share = 0.9
    """Masks that are less certain wait for a person, on review.html."""
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Children at work at once; null takes one a core."""
    inspect_s: Positive = 20.0
    """Seconds that a header may take."""
    decode_s: Positive = 300.0
    """Seconds that a cine may take."""
    retry: bool = False
    """Try again what was not read in time, or ended its decoder, in an earlier run."""
    max_review: Count = 500
    """Masks on the review page at once."""
    reports: ReportsConfig = ReportsConfig()
    """The table of reports."""
    splits: SplitsConfig = SplitsConfig()
    """Train, val and test."""
