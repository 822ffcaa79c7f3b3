"""What a synthetic study set is made of: every number that changes a file, in one frozen record."""

from dataclasses import dataclass, field, fields

from cinelex.data.synthetic.sets import LATER


@dataclass(frozen=True, kw_only=True)
class StudySetSettings:
    """Settings of one synthetic study set; equal settings give the same pixels and reports.

    Raises:
        ValueError: a count, size or share lies outside its range.
    """

    train_studies: int = 1500
    """Studies in the split `train`."""
    val_studies: int = 100
    """Studies in the split `val`."""
    test_studies: int = 160
    """Studies in the split `test`."""
    size: int = 64
    """Rows and columns of a frame, in pixels; even, at least 32."""
    frames: int = 16
    """Frames of a cine; they cover one contrast injection whatever their number."""
    seed: int = 0
    """Decides every draw."""
    lesion_rate: float = 2.2
    """Mean number of lesions of a study."""
    difficulty: float = 0.0
    """From 0 (wide vessels, little motion, noise and variation) to 1 (as in a real cath lab)."""
    speckle: bool = field(default=False, metadata=LATER)
    """Whether pixels look as ultrasound does: vessels bright, under speckle."""
    duplicate_report_rate: float = 0.02
    """Share of the studies that repeat the findings and the report of an earlier one."""
    extra_view_rate: float = 0.1
    """Share of the studies with a fourth cine, from any other view."""
    random_view_rate: float = 0.0
    """Share of the studies filmed from views of their own instead of the three standard ones."""
    missing_view_rate: float = 0.0
    """Share of the studies that lack all views of one coronary artery."""
    corrupted_rate: float = 0.0
    """Share of the video files that no decoder can read."""
    label_noise: float = 0.0
    """Share of the studies whose report describes other findings than the pixels show."""
    report_variety: float = field(default=0.0, metadata=LATER)
    """Share of the lesions that reports hedge, compare with an earlier study, tell over several
    sentences, or leave out; at 0 every lesion is stated once and plainly."""
    patient_leak: float = 0.0
    """Share of the test studies that carry the patient id of a training study."""
    repeat_patient_rate: float = 0.1
    """Share of the studies whose patient has an earlier study in the same split."""

    def __post_init__(self) -> None:
        if self.size < 32 or self.size % 2:
            raise ValueError(f"size must be even and at least 32, found {self.size}")
        if self.frames < 4:
            raise ValueError(f"frames must be at least 4, found {self.frames}")
        if min(self.train_studies, self.val_studies, self.test_studies) < 0:
            raise ValueError("numbers of studies must not be negative")
        if self.lesion_rate < 0:
            raise ValueError(f"lesion_rate must not be negative, found {self.lesion_rate}")
        for setting in fields(self):
            value = getattr(self, setting.name)
            is_share = setting.type is float and setting.name != "lesion_rate"
            if is_share and not 0 <= value <= 1:
                raise ValueError(f"{setting.name} must lie in 0 to 1, found {value}")

    @property
    def split_studies(self) -> dict[str, int]:
        """Number of studies of each split, in the order in which they are made."""
        return {"train": self.train_studies, "val": self.val_studies, "test": self.test_studies}
