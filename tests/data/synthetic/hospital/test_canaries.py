"""What must not leave a hospital is where it is said to be, and known."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from cinelex.data.synthetic.hospital.canaries import list_canaries
from cinelex.data.synthetic.hospital.planning import plan_visits
from cinelex.data.synthetic.hospital.settings import TINY

pytestmark = pytest.mark.slow
Row = dict[str, Any]


@pytest.fixture(scope="module")
def known(hospital: Path) -> list[Row]:
    found: list[Row] = json.loads((hospital / "truth" / "canaries.json").read_text())
    return found


def test_every_word_that_a_header_says_of_people_is_a_canary(
    hospital: Path, files: list[Row], known: list[Row]
) -> None:
    texts = {row["text"] for row in known}
    found = 0
    for row in files:
        if row["kind"] == "cine":
            header = dcmread(hospital / "export" / row["path"], force=True, stop_before_pixels=True)
            for name in ("PatientName", "ReferringPhysicianName", "OperatorsName"):
                assert set(str(header[name].value).split("^")) <= texts
            for name in ("PatientID", "AccessionNumber", "StudyInstanceUID", "InstitutionName"):
                assert str(header[name].value) in texts
            assert header.PatientBirthDate in texts
            found += 1
    assert found > 20


def test_names_are_in_private_elements_overlays_and_curves(
    hospital: Path, files: list[Row]
) -> None:
    overlays = 0
    for row in files:
        if row["kind"] == "cine":
            header = dcmread(hospital / "export" / row["path"], force=True, stop_before_pixels=True)
            name = str(header.PatientName)
            private = header[0x0029, 0x1010].value  # bytes, where the order is implicit
            assert name.encode("latin-1") in (
                private if isinstance(private, bytes) else private.encode("latin-1")
            )
            if (0x6000, 0x3000) in header:
                assert header[0x6000, 0x0022].value == name
                assert header[0x5000, 0x0022].value == name
                assert any(header[0x6000, 0x3000].value)
                overlays += 1
    assert overlays > 0


def test_names_are_in_paths(files: list[Row], studies: list[Row], known: list[Row]) -> None:
    ids = {row["patient_id"] for row in studies}
    assert ids <= {row["text"] for row in known if row["kind"] == "id"}
    assert any(any(one in row["path"] for one in ids) for row in files)


def test_names_dates_and_phrases_are_in_the_file_of_reports(
    hospital: Path, reports: list[Row], known: list[Row]
) -> None:
    text = (hospital / "reports.csv").read_bytes().decode("cp1252")
    visits = {visit.plan.id: visit for visit in plan_visits(TINY)}
    phrases = {row["study"]: row["text"] for row in known if row["kind"] == "phrase"}
    for row in reports:
        if row["study"] is not None:
            assert phrases[row["study"]] in text
            assert visits[row["study"]].patient.name.given in text
            assert visits[row["study"]].patient.birth.strftime("%d.%m.%Y") in text


def test_no_canary_is_a_common_word(known: list[Row]) -> None:
    words = [
        "left",
        "right",
        "dominant",
        "circulation",
        "stenosis",
        "normal",
        "cine",
        "study",
        "train",
    ]
    for row in known:
        assert len(row["text"]) >= 4
        assert row["text"].lower() not in words


def test_the_list_is_that_of_the_plan(known: list[Row]) -> None:
    assert known == list_canaries(plan_visits(TINY))
