"""What a file is by how it begins, whatever its name says."""

import re
from pathlib import Path

from cinelex.data.video.decode import VideoUnsupported

HEAD_BYTES = 4096
MOVING = re.escape(bytes(flags for flags in range(256) if flags & 2))
"""Flags of a WebP that say that it is animated."""
PICTURES = (
    (re.compile(rb"\xff\xd8\xff"), "jpeg_pipe"),
    (re.compile(rb"\x89PNG\r\n\x1a\n(?!.*acTL.*IDAT)", re.DOTALL), "png_pipe"),
    (re.compile(rb"RIFF....WEBP(?!VP8X....[" + MOVING + rb"])", re.DOTALL), "webp_pipe"),
    (re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL), "bmp_pipe"),
    (re.compile(rb"II\*\0|MM\0\*"), "tiff_pipe"),
    (re.compile(rb"P[25]\s"), "pgm_pipe"),
    (re.compile(rb"P[36]\s"), "ppm_pipe"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "j2k_pipe"),
)
"""How files of pictures begin, and the format that reads them.

FFmpeg tells all but the smallest by their name, and reads them by a format that takes the name as a
pattern of further files. An animated PNG says so (acTL) ahead of its pixels, and is left to it;
an animated WebP says so in its flags, and is left to Pillow.
"""
DICOM = re.compile(rb".{128}DICM|[\x02\x08]\0.\0[A-Z]{2}", re.DOTALL)
SOUND = "a recording of sound"
OTHERS = (
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive, or a document in one"),
    (re.compile(rb"\x1f\x8b"), "compressed by gzip"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an old Office document"),
    (re.compile(rb"\{\\rtf"), "an RTF document"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)", re.IGNORECASE), "a web page"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml"), "XML"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<svg"), "an SVG drawing"),
    (re.compile(rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a"), "a JPEG XL picture"),
    (re.compile(rb"8BPS"), "a Photoshop picture"),
    (re.compile(rb"\0\0\x01\0.\0", re.DOTALL), "an icon"),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), "PostScript"),
    (re.compile(rb"[FCZ]WS"), "a Flash movie"),
    (
        re.compile(rb"MThd|\.snd|FORM....AIF|caff|#!AMR|\x0b\x77", re.DOTALL),
        SOUND,
    ),
    (re.compile(rb"#EXTM3U|ffconcat"), "a list of other files"),
    (re.compile(rb"\x89HDF\r\n\x1a\n|CDF[\x01\x02\x05]"), "an HDF5 or NetCDF file"),
    (
        re.compile(rb"\x5c\x01\0\0|\0\0\x01\x5c|MATLAB 5\.0|NRRD0|ObjectType ="),
        "an array or a volume",
    ),
    (re.compile(rb"\x93NUMPY"), "a NumPy array"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb"\x28\xb5\x2f\xfd|BZh|\xfd7zXZ"), "a compressed file"),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS; run git lfs pull"),
    (re.compile(rb"MZ|\x7fELF"), "a program"),
    (re.compile(rb"[\t\n\r -~]{4,}\Z"), "text"),
)
"""How sound files begin that are no videos."""


def head_of(path: Path) -> bytes:
    """Return how a file begins; nothing where it cannot be read.

    Only regular files are: a pipe may never answer.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return b""


def picture_format(path: Path) -> str | None:
    """Return FFmpeg's name of the format of a file that holds one picture; None for others."""
    head = head_of(path)
    return next((name for begins, name in PICTURES if begins.match(head)), None)


def refuse_dicom(path: Path) -> None:
    """Refuse DICOM, in which FFmpeg may find a stream of pictures.

    Raises:
        VideoUnsupported: Says what reads it.
    """
    if DICOM.match(head_of(path)):
        raise VideoUnsupported("it is a DICOM file; scripts/prepare.sh makes a data set of those")


def refuse_others(path: Path) -> None:
    """Refuse sound files that are something else than a video, which no decoder can tell.

    Raises:
        VideoUnsupported: Says what it is.
    """
    head = head_of(path)
    for begins, what in OTHERS:
        if begins.match(head):
            raise VideoUnsupported(f"it is not a video but {what}")


def can_be_read(path: Path) -> bool:
    """Return whether the file system reads all of a file."""
    try:
        with path.open("rb") as stream:
            while stream.read(1 << 20):
                pass
    except OSError:
        return False
    return True


def riff_is_cut_short(path: Path) -> bool:
    """Return whether a RIFF file, such as an AVI, ends before the chunks that it promises.

    Its header counts places in time, some of which a recorder may have left empty, and not frames.
    """
    size = path.stat().st_size
    place = 0
    with path.open("rb") as stream:
        while place + 8 <= size:
            stream.seek(place)
            head = stream.read(8)
            if head[:4] != b"RIFF":
                break
            place += 8 + int.from_bytes(head[4:], "little")
    return place > size
