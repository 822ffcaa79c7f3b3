"""What a file is, by what it holds."""

import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cinelex.data.dicom.errors import REASONS
from cinelex.data.dicom.inventory import inspect
from cinelex.data.dicom.limits import Limits
from cinelex.data.dicom.record import FileRecord
from tests.data.dicom.files import ANGIOGRAPHY, CANARIES, data_set, gray_cine, write, write_cine

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_a_cine_is_one_in_every_uncompressed_syntax(tmp_path: Path, syntax: str) -> None:
    record = inspect(write(tmp_path / "a.txt", data_set(gray_cine()), syntax=syntax))
    assert (record.kind, record.reason) == ("cine", "")
    assert (record.frames, record.rows, record.columns) == (3, 4, 6)
    assert record.frame_times_ms == (0, 40, 80)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_cine_needs_no_preamble(tmp_path: Path, syntax: str) -> None:
    path = write(tmp_path / "a", data_set(gray_cine()), syntax=syntax, preamble=False)
    assert inspect(path).kind == "cine"


def test_the_magic_letters_at_byte_128_by_chance_make_no_preamble(tmp_path: Path) -> None:
    path = write(tmp_path / "a", data_set(gray_cine()), preamble=False)
    characters = b"\x08\x00\x05\x00CS" + (112).to_bytes(2, "little") + b"ISO_IR 100".ljust(112)
    image_type = b"\x08\x00\x08\x00CS" + (6).to_bytes(2, "little") + b"DICM\\X"
    path.write_bytes(characters + image_type + path.read_bytes())
    assert path.read_bytes()[128:132] == b"DICM"
    assert inspect(path).kind == "cine"


@pytest.mark.parametrize(
    ("elements", "kind", "reason"),
    [
        ({"NumberOfFrames": 1}, "still", "one_frame"),
        ({"Modality": "MR"}, "refused", "modality"),
        ({"Modality": "IVUS"}, "refused", "modality"),
        ({"FrameIncrementPointer": 0x00540080}, "refused", "not_over_time"),
        ({"SOPClassUID": ENHANCED_CT, "Modality": "CT"}, "refused", "not_over_time"),
        (
            {"SOPClassUID": CT, "FrameIncrementPointer": None, "FrameTime": None},
            "refused",
            "axis_unknown",
        ),
        ({"Rows": None}, "refused", "frame_size"),
        ({"Rows": 0}, "refused", "frame_size"),
        ({"Rows": 400}, "refused", "cut_pixels"),
        ({"NumberOfFrames": 400}, "refused", "cut_pixels"),
        ({"NumberOfFrames": 40_000}, "refused", "too_large"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "refused", "pixel_format"),
        ({"SamplesPerPixel": 3}, "refused", "pixel_format"),
        ({"PhotometricInterpretation": "HSV"}, "refused", "pixel_format"),
    ],
)
def test_what_is_no_cine_says_why(
    tmp_path: Path, elements: dict[str, object], kind: str, reason: str
) -> None:
    record = inspect(write_cine(tmp_path / "a", gray_cine(), **elements))
    assert (record.kind, record.reason) == (kind, reason)


def test_what_is_asked_for_is_a_cine_too(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine(), Modality="IVUS")
    assert inspect(path, modalities=("IVUS",)).kind == "cine"


def test_enhanced_angiography_is_taken_on_request_alone(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine(), Modality="XA", SOPClassUID=f"{ANGIOGRAPHY}.1")
    assert inspect(path).reason == "modality"
    assert inspect(path, modalities=("XA_ENHANCED",)).kind == "cine"


def test_a_text_in_place_of_the_number_of_frames_is_refused(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine(), NumberOfFrames=12)
    content = path.read_bytes()
    at = content.index(b"\x28\x00\x08\x00IS\x02\x00") + 8
    path.write_bytes(content[:at] + b"1A" + content[at + 2 :])
    assert inspect(path).reason == "frame_count"


def test_slices_in_functional_groups_are_not_moments(tmp_path: Path) -> None:
    groups = []
    for place in range(3):
        plane, group = Dataset(), Dataset()
        plane.ImagePositionPatient = [0, 0, place]
        group.PlanePositionSequence = [plane]
        groups.append(group)
    nothing = {"FrameIncrementPointer": None, "SOPClassUID": CT}
    path = write_cine(
        tmp_path / "a", gray_cine(), PerFrameFunctionalGroupsSequence=groups, **nothing
    )
    assert inspect(path).reason == "not_over_time"


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"", "refused", "empty"),
        (b"%PDF-1.7 and more", "not_image", "not_dicom"),
        (b"\0" * 5000, "not_image", "not_dicom"),
        (b"\0" * 128 + b"DICM", "not_image", "not_dicom"),
        (b"<xml>1.2.840.10008.1.2</xml>", "not_image", "not_dicom"),
        (
            b"\x7f\x08\x00\x16\x00UI\x14\x00" + b"1.2.840.10008.5.1.4\0\0",
            "refused",
            "broken_header",
        ),
    ],
)
def test_what_is_no_dicom_file_is_told_from_a_damaged_one(
    tmp_path: Path, content: bytes, kind: str, reason: str
) -> None:
    (tmp_path / "a.dcm").write_bytes(content)
    record = inspect(tmp_path / "a.dcm")
    assert (record.kind, record.reason) == (kind, reason)


def test_a_folder_and_a_missing_file_are_unreadable(tmp_path: Path) -> None:
    assert inspect(tmp_path).reason == "unreadable"
    assert inspect(tmp_path / "absent").reason == "unreadable"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert inspect(tmp_path / "pipe").reason == "unreadable"


def test_a_file_cut_anywhere_is_never_a_cine(tmp_path: Path) -> None:
    whole = write_cine(tmp_path / "a", gray_cine()).read_bytes()
    cut = tmp_path / "cut"
    for length in range(133, len(whole), 7):
        cut.write_bytes(whole[:length])
        assert inspect(cut).kind in {"refused", "not_image"}, length
    cut.write_bytes(whole[:-1])
    assert inspect(cut).reason == "cut_pixels"


def test_a_value_that_claims_more_than_the_file_is_not_allocated(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", gray_cine())
    content = path.read_bytes()
    at = content.index(b"\xe0\x7f\x10\x00OB") + 8
    path.write_bytes(content[:at] + (0xC0000000).to_bytes(4, "little") + content[at + 4 :])
    assert inspect(path).reason == "cut_pixels"


def test_a_header_that_inflates_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.data.dicom.header.MAX_HEADER_BYTES", 1 << 16)
    path = write(tmp_path / "a", data_set(gray_cine()), syntax=DeflatedExplicitVRLittleEndian)
    content = path.read_bytes()
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    end = content.index(b"\x02\x00\x10\x00UI") + 8 + len(DeflatedExplicitVRLittleEndian)
    bomb = packed.compress(b"\0" * (1 << 20)) + packed.flush()
    path.write_bytes(content[:end] + bomb)
    assert inspect(path).reason in {"large_header", "broken_header"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damage_makes_it_raise(tmp_path: Path, places: list[tuple[float, int]]) -> None:
    path = write_cine(tmp_path / "a", gray_cine())
    content = bytearray(path.read_bytes())
    for share, byte in places:
        content[int(share * len(content))] = byte
    path.write_bytes(content)
    record = inspect(path)
    assert record.reason in {"", *REASONS}


def test_nothing_of_a_person_leaves_the_header(tmp_path: Path) -> None:
    record = inspect(write_cine(tmp_path / "a", gray_cine(), Manufacturer="Acme"))
    outside = record.to_json()
    identity = outside.pop("identity")
    for text in CANARIES.values():
        assert text not in json.dumps(outside)
        assert text not in repr(record)
        assert text in json.dumps(identity)


def test_a_record_survives_json(tmp_path: Path) -> None:
    record = inspect(write_cine(tmp_path / "a", gray_cine()))
    assert FileRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_limits_refuse_before_pixels_are_read(tmp_path: Path) -> None:
    path = write_cine(tmp_path / "a", np.zeros((2, 64, 64), np.uint8))
    assert inspect(path, limits=Limits(max_bytes=2 * 64 * 64)).kind == "cine"
    assert inspect(path, limits=Limits(max_bytes=2 * 64 * 64 - 1)).reason == "too_large"
