"""Transfer syntaxes that are decoded, and what decodes them.

Chosen by what was measured: Pillow is the fastest for JPEG baseline, GDCM the only one for lossless
JPEG and JPEG-LS whose licence fits; FFmpeg is silently wrong on lossless JPEG of 16 bit and shifts
12 bit to the left, and is trusted with video alone.
"""

from typing import Final

SYNTAX: Final = "1.2.840.10008.1.2"
BIG_ENDIAN: Final = f"{SYNTAX}.2"
NATIVE: Final = (SYNTAX, f"{SYNTAX}.1", BIG_ENDIAN, f"{SYNTAX}.1.99")
JPEG: Final = (f"{SYNTAX}.4.50", f"{SYNTAX}.4.51")
JPEG_2000: Final = (f"{SYNTAX}.4.90", f"{SYNTAX}.4.91")
HTJ2K: Final = tuple(f"{SYNTAX}.4.{number}" for number in (201, 202, 203))
VIDEO: Final = {
    **{f"{SYNTAX}.4.{number}": "mpeg" for number in ("100", "100.1", "101", "101.1")},
    **{f"{SYNTAX}.4.{number}": "h264" for number in range(102, 107)},
    **{f"{SYNTAX}.4.{number}.1": "h264" for number in range(102, 107)},
    **{f"{SYNTAX}.4.{number}": "hevc" for number in (107, 108)},
}
"""MPEG-2, H.264 and HEVC."""
JPEG_LOSSLESS: Final = (f"{SYNTAX}.4.57", f"{SYNTAX}.4.70")
JPEG_RETIRED: Final = (f"{SYNTAX}.4.53", f"{SYNTAX}.4.55")
"""Progressive; pydicom knows them no more."""
JPEG_LS: Final = (f"{SYNTAX}.4.80", f"{SYNTAX}.4.81")
RLE: Final = f"{SYNTAX}.5"
GDCM: Final = frozenset({*JPEG_LOSSLESS, *JPEG_RETIRED, *JPEG_LS})
OPENJPEG: Final = frozenset({*JPEG_2000, *HTJ2K})
SUPPORTED: Final = frozenset({*NATIVE, *JPEG, *VIDEO, *GDCM, *OPENJPEG, RLE})


def is_encapsulated(transfer_syntax: str) -> bool:
    """Return whether the pixels stand in fragments."""
    return transfer_syntax not in NATIVE


def is_video(transfer_syntax: str) -> bool:
    """Return whether the pixels are one stream, whose frames depend on one another."""
    return transfer_syntax in VIDEO
