"""What a made-up hospital is made of: every number that changes a file, in one frozen record."""

from dataclasses import dataclass, field, fields
from typing import Final

from cinelex.data.synthetic.cines.settings import StudySetSettings


@dataclass(frozen=True, kw_only=True)
class HospitalSettings:
    """Settings of one made-up hospital; equal settings give the same files.

    Raises:
        ValueError: a share lies outside 0 to 1, or the plan has broken files of its own.
    """

    studies: StudySetSettings = field(
        default_factory=lambda: StudySetSettings(
            train_studies=700, val_studies=100, test_studies=200, size=128, repeat_patient_rate=0.25
        )
    )
    """The studies and their cines; `size` is that of a picture without what surrounds it."""
    ultrasound_rate: float = 0.4
    """Share of the studies whose cines are shown as ultrasound, in a beam; 0 keeps every pixel."""
    monochrome1_rate: float = 0.15
    """Share of the X-ray cines whose low values are bright."""
    enhanced_rate: float = 0.08
    """Share of the X-ray cines that are enhanced multi-frame objects."""
    circle_rate: float = 0.05
    """Share of the X-ray cines that an image intensifier cuts to a circle."""
    text_in_picture_rate: float = 0.1
    """Share of the X-ray cines with text burned into the open field."""
    regions_rate: float = 0.5
    """Share of the ultrasound cines whose header says where the beam is."""
    doppler_rate: float = 0.25
    """Share of the ultrasound cines with a box of colour Doppler."""
    bare_rate: float = 0.03
    """Share of the cines without preamble and file meta information."""
    copy_rate: float = 0.05
    """Share of the cines that lie in a second folder as well, byte for byte."""
    recoded_rate: float = 0.03
    """Share of the cines that lie there once more, coded otherwise without loss."""
    cut_rate: float = 0.1
    """Share of the studies with a file that ends too early."""
    rubbish_rate: float = 0.3
    """Share of the studies with a file that is not DICOM: empty, text, or what a system leaves."""
    document_rate: float = 0.2
    """Share of the studies with a PDF inside DICOM."""
    capture_rate: float = 0.3
    """Share of the studies with a screenshot."""
    stack_rate: float = 0.1
    """Share of the studies with several frames that are slices, not times."""
    presentation_rate: float = 0.1
    """Share of the studies with a presentation state."""
    index_rate: float = 0.05
    """Share of the studies whose folder holds a DICOMDIR."""
    missing_report_rate: float = 0.03
    """Share of the studies that the file of reports does not know."""
    stray_report_rate: float = 0.03
    """Rows of the file of reports whose study was not exported, by the number of studies."""
    repeated_report_rate: float = 0.01
    """Rows that stand twice in the file of reports, by the number of studies."""
    named_findings_rate: float = 0.1
    """Share of the reports whose findings end with a sentence with a name and a date."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.type is float and not 0 <= value <= 1:
                raise ValueError(f"{entry.name} must lie in 0 to 1, found {value}")
        plan = self.studies
        if not sum(plan.split_studies.values()):
            raise ValueError("studies must not be empty")
        if plan.corrupted_rate or plan.label_noise or plan.patient_leak:
            raise ValueError("studies must have no corrupted_rate, label_noise or patient_leak")


TINY: Final = HospitalSettings(
    studies=StudySetSettings(
        train_studies=5, val_studies=1, test_studies=2, size=64, frames=8, repeat_patient_rate=0.5
    )
)
"""For tests: eight studies of small, short cines, in about a second."""

DEMO: Final = HospitalSettings(
    studies=StudySetSettings(
        train_studies=20, val_studies=4, test_studies=8, size=96, repeat_patient_rate=0.25
    )
)
"""For a first look: 32 studies, in a few seconds."""
