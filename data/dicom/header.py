"""The header of one file, read by what it holds and within its size; pixels are left alone."""

import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any, Final

from pydicom import config as pydicom_config
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from cinelex.data.dicom.errors import BROKEN, DicomError, reason_of
from cinelex.data.dicom.keywords import WANTED

MAX_HEADER_BYTES: Final = 256 << 20
"""Of one element, and of all that is inflated to find the pixels."""
PIXEL_TAGS: Final = {0x7FE00008: "float", 0x7FE00009: "double", 0x7FE00010: "integer"}
DICOMDIR: Final = "1.2.840.10008.1.3.10"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
UNDEFINED: Final = 0xFFFFFFFF
TAGS: Final = [BaseTag(tag) for word in WANTED if (tag := tag_for_keyword(word)) is not None]


@dataclass(frozen=True)
class Header:
    """What stands before the pixels, and where these are."""

    dataset: Dataset
    transfer_syntax: str
    """Empty where none is stated and the pixels may be encoded in any way."""
    pixels: str
    """ "integer", "float", "double", or empty: the file has none."""
    offset: int
    """Byte of the pixels' value, in the file or in what it inflates to."""
    words: bool
    """Whether the pixels are 16-bit words (VR OW), whose bytes a big-endian file swaps."""
    length: int | None
    """Bytes of the pixels as stated; None where they are encapsulated."""
    size: int
    """Bytes of the file, or of what it inflates to as far as that was done."""
    inflated: bytes | None
    """The data set of a deflated file."""


class BoundedFile:
    """A stream that gives no more than it has, whatever is asked for, and remembers being asked."""

    def __init__(self, stream: BufferedIOBase, size: int) -> None:
        self._stream = stream
        self._size = size
        self.cut = False
        """Whether something was to be read that lies past the end."""

    def read(self, count: int = -1) -> bytes:
        """Return at most ``count`` bytes."""
        left = self._size - self._stream.tell()
        if count > left:
            self.cut |= left > 0 or count != 8  # a tag and a length at the very end is the end
        if min(count, left) > MAX_HEADER_BYTES:
            raise DicomError("large_header")
        return self._stream.read(left if count < 0 else min(count, left))

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place, at most to the end."""
        if whence == 0 and place > self._size:
            self.cut = True
            place = self._size
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._stream.tell()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what pydicom warns of to itself: it quotes values, and paths."""
    logger, mode = logging.getLogger("pydicom"), pydicom_config.settings.reading_validation_mode
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL + 1)
        pydicom_config.settings.reading_validation_mode = pydicom_config.IGNORE
        try:
            yield
        finally:
            logger.setLevel(level)
            pydicom_config.settings.reading_validation_mode = mode


def read_header(path: Path) -> Header:
    """Return the header of a file, whatever its name is and whether it has a preamble.

    Raises:
        DicomError: It has none that can be read.
    """
    try:
        if not path.is_file():  # to open a pipe would wait for ever
            raise DicomError("unreadable")
        with path.open("rb") as stream, quiet():
            return _read(stream, path.stat().st_size)
    except DicomError:
        raise
    except OSError as error:
        raise DicomError(reason_of(error, "broken_header")) from None
    except BROKEN:
        raise DicomError("broken_header") from None


def _read(stream: BufferedIOBase, size: int) -> Header:
    if size == 0:
        raise DicomError("empty")
    beginning = stream.read(1024)
    start = _start_of_elements(beginning, size)
    file = BoundedFile(stream, size)
    file.seek(start)
    meta = _elements(file, EXPLICIT, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
    if str(meta.get("MediaStorageSOPClassUID", "")) == DICOMDIR:
        raise DicomError("dicomdir")
    if len(meta) and "TransferSyntaxUID" not in meta:
        raise DicomError("no_transfer_syntax")
    syntax = str(meta.get("TransferSyntaxUID", "")).strip("\0 ")
    inflated = None
    if syntax == DEFLATED:
        inflated = _inflate(file)
        size = len(inflated)
        file = BoundedFile(BytesIO(inflated), size)
    return _rest(file, syntax, size, inflated)


def _rest(file: BoundedFile, syntax: str, size: int, inflated: bytes | None) -> Header:
    """Read the data set up to its pixels."""
    found: list[tuple[int, str | None, int]] = []

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        if tag in PIXEL_TAGS:
            found.append((tag, vr, length))
        return tag in PIXEL_TAGS

    dataset = _elements(file, syntax or IMPLICIT, stop_when=at_pixels, tags=TAGS)
    if not syntax and not {"SOPClassUID", "Modality", "Rows"} & set(dataset.dir()):
        raise DicomError("not_dicom")
    if not found:
        if file.cut or not len(dataset):
            raise DicomError("cut_header")
        return Header(dataset, syntax, "", size, False, 0, size, inflated)
    tag, vr, length = found[0]
    implicit = bool(dataset.original_encoding[0])
    offset = file.tell() + (8 if implicit else 12)
    stated = None if length == UNDEFINED else length
    if not syntax and stated is not None:
        syntax = IMPLICIT if implicit else EXPLICIT
    return Header(dataset, syntax, PIXEL_TAGS[tag], offset, vr == "OW", stated, size, inflated)


def _elements(file: Any, syntax: str, *, stop_when: Any, tags: Any = None) -> Dataset:
    """Return elements from the place where the file stands."""
    return read_dataset(
        file,
        is_implicit_VR=syntax == IMPLICIT,
        is_little_endian=syntax != BIG_ENDIAN,
        stop_when=stop_when,
        specific_tags=tags,
    )


def _start_of_elements(beginning: bytes, size: int) -> int:
    """Return where the first element is: after the preamble, or at 0 where there is none."""
    after = beginning[132:140]
    if beginning[128:132] == b"DICM" and (after[:2] == b"\2\0" or _begins(after, size)):
        return 132
    if _begins(beginning[:8], size):
        return 0
    # a damaged DICOM file is somebody's to look at, a text that speaks of DICOM is not
    damaged = b"1.2.840.10008." in beginning and b"\0\0" in beginning
    raise DicomError("broken_header" if damaged else "not_dicom")


def _begins(element: bytes, size: int) -> bool:
    """Return whether these 8 bytes can be the first tag, VR and length of a data set."""
    group, number = (int.from_bytes(element[place : place + 2], "little") for place in (0, 2))
    if len(element) < 8 or group not in {2, 8} or number > 0x100:
        return False
    explicit = element[4:6].isalpha() and element[4:6].isupper()
    return explicit or int.from_bytes(element[4:8], "little") <= size


def _inflate(file: BoundedFile) -> bytes:
    """Return a deflated data set, up to a limit."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(file.read(), MAX_HEADER_BYTES)
    if inflater.unconsumed_tail:
        raise DicomError("large_header")
    return data
