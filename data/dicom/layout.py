"""How the pixels of one cine are laid out, as the header states it."""

from dataclasses import dataclass

from cinelex.data.dicom.codecs import BIG_ENDIAN
from cinelex.data.dicom.header import Header
from cinelex.data.dicom.record import FileRecord
from cinelex.data.dicom.values import value, whole


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The numbers that a decoder needs."""

    transfer_syntax: str
    photometric: str
    frames: int
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    planar: int
    """1 where the planes of a colour frame follow one another."""
    swapped: bool
    """Whether 8-bit samples stand in big-endian words, two by two in the wrong order."""
    offsets: tuple[bytes, bytes] | None
    """The extended offset table and its lengths."""

    @property
    def dtype(self) -> str:
        """Numpy's name of a stored sample, unsigned."""
        if self.bits_allocated == 8:
            return "u1"
        return ">u2" if self.transfer_syntax == BIG_ENDIAN else "<u2"


def layout(header: Header, record: FileRecord) -> Layout:
    """Return the layout of the cine that ``inspect`` has found in order."""
    dataset = header.dataset
    stored = record.bits_stored or record.bits_allocated
    high = whole(dataset, "HighBit", absent=stored - 1, reason="pixel_format")
    offsets = tuple(
        value(dataset, keyword) for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
    )
    first, second = offsets
    return Layout(
        transfer_syntax=record.transfer_syntax,
        photometric=record.photometric,
        frames=record.frames,
        rows=record.rows,
        columns=record.columns,
        samples=record.samples,
        bits_allocated=record.bits_allocated,
        bits_stored=stored,
        high_bit=high if stored - 1 <= high < record.bits_allocated else stored - 1,
        signed=whole(dataset, "PixelRepresentation", absent=0, reason="pixel_format") == 1,
        planar=whole(dataset, "PlanarConfiguration", absent=0, reason="pixel_format"),
        swapped=record.transfer_syntax == BIG_ENDIAN and header.words,
        offsets=(first, second) if isinstance(first, bytes) and isinstance(second, bytes) else None,
    )
