"""What tells a DICOM file from a video, without the libraries that read it."""

from pathlib import Path

PREAMBLE = 128
"""Bytes before the mark of a DICOM file."""


def is_dicom(path: Path) -> bool:
    """Return whether a file bears the mark of DICOM, or has its ending; False if unreadable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(PREAMBLE + 4)
    except OSError:
        return False
    return head[PREAMBLE:] == b"DICM" or path.suffix.lower() in (".dcm", ".dicom")
