"""Ages and dates of a header."""

import pytest
from pydicom.dataset import Dataset

from cinelex.data.dicom.columns import age_years, identity, plain_date
from cinelex.data.dicom.record import Identity


@pytest.mark.parametrize(
    ("age", "born", "studied", "years"),
    [
        ("045Y", "", "", 45),
        ("090Y", "", "", 90),
        ("104Y", "", "", 90),
        ("089Y", "", "", 89),
        ("018M", "", "", 1),
        ("", "19500401", "20150331", 64),
        ("", "19500401", "20150401", 65),
        ("", "19100401", "20150401", 90),
        ("", "", "20150101", None),
        ("", "20200101", "20150101", None),
    ],
)
def test_ages_above_89_are_90(age: str, born: str, studied: str, years: int | None) -> None:
    dataset = Dataset()
    dataset.PatientAge, dataset.PatientBirthDate, dataset.StudyDate = age, born, studied
    assert age_years(dataset) == years


@pytest.mark.parametrize(
    ("stated", "date"),
    [("20150312", "20150312"), ("2015.03.12", "20150312"), ("20151332", ""), ("now", "")],
)
def test_dates_are_eight_digits_or_none(stated: str, date: str) -> None:
    assert plain_date(stated) == date


def test_a_patient_without_an_id_is_known_by_name_and_birth_date() -> None:
    assert Identity(patient_id="7", patient_name="A").patient == "7"
    assert Identity(patient_name="A", birth_date="19500401").patient == "A\n19500401"
    assert Identity(patient_name="A", study_uid="1.2").patient == ""


def test_all_persons_places_and_dates_are_gathered_for_the_reports() -> None:
    dataset = Dataset()
    dataset.PatientName, dataset.OperatorsName = "Finch^Atticus", ["Radley^Arthur", "Ewell^Bob"]
    dataset.StationName, dataset.SeriesDate = "Cath 3", "20150312"
    found = identity(dataset)
    assert found.names == ("Finch^Atticus", "Radley^Arthur", "Ewell^Bob", "Cath 3")
    assert found.dates == ("20150312",)
