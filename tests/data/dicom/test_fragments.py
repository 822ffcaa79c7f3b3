"""Frames from fragments, however they were cut."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended

from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.fragments import coded_frames
from cinelex.data.dicom.layout import Layout

PLAN = Layout(
    transfer_syntax="1.2.840.10008.1.2.4.50",
    photometric="MONOCHROME2",
    frames=1,
    rows=1,
    columns=1,
    samples=1,
    bits_allocated=8,
    bits_stored=8,
    high_bit=7,
    signed=False,
    planar=0,
    swapped=False,
    offsets=None,
)
END = b"\xff\xd9"
CODES = st.lists(st.binary(min_size=40, max_size=80), min_size=1, max_size=6)


@given(codes=CODES, pieces=st.integers(1, 4), table=st.booleans())
def test_any_way_to_cut_frames_is_undone(codes: list[bytes], pieces: int, table: bool) -> None:
    """An end-of-image marker tells frames apart where no table does; it stands in none of them."""
    frames = [code.replace(b"\xff", b"\xfe") + END for code in codes]
    frames = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    data = encapsulate(frames, fragments_per_frame=pieces, has_bot=table)
    assert coded_frames(data, replace(PLAN, frames=len(frames))) == frames


def test_the_extended_offset_table_is_used() -> None:
    frames = [b"first!", b"second frame"]
    data, offsets, lengths = encapsulate_extended(frames)
    plan = replace(PLAN, frames=2, offsets=(offsets, lengths))
    assert coded_frames(data, plan) == frames


@given(codes=CODES, share=st.floats(0, 0.999))
def test_cut_data_never_pass_for_whole(codes: list[bytes], share: float) -> None:
    frames = [code.replace(b"\xff", b"\xfe") + END for code in codes]
    data = encapsulate(frames, has_bot=False)[:-8]
    with pytest.raises(DicomError):
        coded_frames(data[: int(share * len(data))], replace(PLAN, frames=len(frames)))
