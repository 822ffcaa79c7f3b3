"""The truth about a made-up hospital, as tables."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

Kind = Literal["cine", "still", "not_image", "refused"]


@dataclass(frozen=True, kw_only=True)
class FileTruth:
    """What is true of one file below `export`."""

    path: str
    """Below `export`."""
    kind: Kind
    reason: str | None = None
    """Why it is no cine, in a word."""
    also_ok: str = ""
    """Other kinds that are right as well, with `;` in between."""
    duplicate_of: str | None = None
    """Another file with the same object: the same bytes, or the same pixels coded otherwise."""
    study: str | None = None
    """In the plan of studies."""
    study_uid: str | None = None
    patient: str | None = None
    """In the plan of studies."""
    patient_id: str | None = None
    """In the header."""
    instance_uid: str | None = None
    modality: str | None = None
    transfer_syntax: str | None = None
    reader: str | None = None
    """What decodes it best."""
    photometric: str | None = None
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None
    frame_times_ms: list[float] | None = None
    """The time of every frame after the first one's; None where the header does not say."""
    time_source: str | None = None
    time_conflict: bool = False
    """True where another element disagrees."""
    mask: str | None = None
    """A picture below `truth`: 255 where the cine is to be kept, 128 where text is burned in."""
    box: list[int] | None = None
    """Top, left, bottom, right of the mask."""
    regions: bool = False
    """True where the header tells of ultrasound regions."""
    doppler: bool = False
    text_boxes: list[list[int]] | None = None
    texts: list[str] | None = None
    view: str | None = None
    """As the header names it, or by the angles of the camera; None where it does not say."""
    primary_angle: float | None = None
    secondary_angle: float | None = None
    cine: int | None = None
    """Place among the cines of the study's plan."""
    lossless: bool = True
    windowed: bool = False
    """True where the header says which values to show."""
    samples_sha256: str | None = None
    """Of the stored samples as little-endian bytes, frame by frame, colours interleaved."""
    mean_inside: float | None = None
    """Mean of what should be seen within the mask, 0 to 255."""


FILE_TYPES: Final[dict[str, Any]] = {
    "frame_times_ms": pa.list_(pa.float64()), "box": pa.list_(pa.int32()),
    "text_boxes": pa.list_(pa.list_(pa.int32())), "texts": pa.list_(pa.string()),
    "mean_inside": pa.float64(), "primary_angle": pa.float64(), "secondary_angle": pa.float64(),
    **dict.fromkeys(("rows", "columns", "frames", "cine"), pa.int32()),
    **dict.fromkeys(
        ("time_conflict", "regions", "doppler", "lossless", "windowed"), pa.bool_()
    ),
}  # fmt: skip
"""Types of the columns that are not text."""


def write_files(rows: list[FileTruth], path: Path) -> None:
    """Write a row a file, in the order of their paths."""
    names = list(FileTruth.__dataclass_fields__)
    schema = pa.schema([(name, FILE_TYPES.get(name, pa.string())) for name in names])
    ordered = sorted(rows, key=lambda row: row.path)
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in ordered], schema=schema), path)
