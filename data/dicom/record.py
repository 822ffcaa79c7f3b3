"""What is known of one file: columns that may leave its header, and what must not."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from cinelex.data.dicom.shapes import Region, Shutter

Kind = Literal["cine", "still", "not_image", "refused"]

MAX_AGE_YEARS: Final = 89
"""Whoever is older is 90: so few are that an age names them."""


@dataclass(frozen=True)
class Identity:
    """What a header says about a person; it goes to ``private/`` and nowhere else.

    Not even ``repr`` shows it, for tracebacks do.
    """

    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    """YYYYMMDD, or empty."""
    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    instance_uid: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    """YYYYMMDD, or empty."""
    study_time: str = field(default="", repr=False)
    institution: str = field(default="", repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    """Every name of a person, a place or a machine, to be taken out of the study's report."""
    dates: tuple[str, ...] = field(default=(), repr=False)
    """Every date, as YYYYMMDD, for the same end."""

    @property
    def patient(self) -> str:
        """What tells one patient from another: the ID, else name and birth date, else empty."""
        if self.patient_id:
            return self.patient_id
        if self.patient_name and self.birth_date:
            return f"{self.patient_name}\n{self.birth_date}"
        return ""


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """One file of an export: what it is, and the allow-listed columns of its header."""

    kind: Kind
    reason: str = ""
    """A key of ``REASONS``; empty for a cine."""
    modality: str = ""
    sop_class: str = ""
    transfer_syntax: str = ""
    photometric: str = ""
    samples: int = 0
    """Per pixel: 1 (gray or palette) or 3."""
    bits_allocated: int = 0
    bits_stored: int = 0
    frames: int = 0
    rows: int = 0
    columns: int = 0
    frame_times_ms: tuple[float, ...] | None = None
    """When each frame was taken, from the first one on; None is unknown."""
    time_source: str | None = None
    """Keyword of the element that the times are from, or "FunctionalGroups"."""
    time_conflict: bool = False
    """Whether another element of the header states another rate."""
    view: str = "unknown"
    primary_angle_deg: float | None = None
    """Angiography: LAO positive, RAO negative."""
    secondary_angle_deg: float | None = None
    """Angiography: cranial positive, caudal negative."""
    age_years: int | None = None
    """Whole years at the study; 90 where it is above 89."""
    sex: str = ""
    """M, F or O; empty where unknown."""
    manufacturer: str = ""
    model: str = ""
    heart_rate_per_min: float | None = None
    burned_in: bool = False
    """Whether the header says that text which names somebody is burned into the pixels."""
    order: tuple[float, float] = (0.0, 0.0)
    """Series and instance number, by which the files of a study are in the order that they were
    taken in; 0 where the header has none."""
    regions: tuple[Region, ...] = ()
    """Ultrasound: rectangles that the header says a beam is in."""
    shutters: tuple[Shutter, ...] = ()
    """Angiography: what the header says is open."""
    identity: Identity = field(default=Identity(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` takes back."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> "FileRecord":
        """Return the record that ``to_json`` gave, also after a trip through JSON."""
        plain = {name: _tuples(value) for name, value in values.items()}
        own = {name: _tuples(value) for name, value in values["identity"].items()}
        return FileRecord(**{**plain, "identity": Identity(**own)})


def _tuples(value: Any) -> Any:
    """Return lists as the tuples that they were before JSON."""
    return tuple(_tuples(one) for one in value) if isinstance(value, list | tuple) else value
