"""The columns that may leave a header, and the identity that may not."""

import re
from datetime import date
from typing import Any

from pydicom.dataset import Dataset

from cinelex.data.dicom.keywords import DATES, ORDER, PERSONS, PLACES
from cinelex.data.dicom.record import MAX_AGE_YEARS, Identity
from cinelex.data.dicom.stated_regions import regions, shutters
from cinelex.data.dicom.values import code, number, text
from cinelex.data.dicom.views import angiographic_view, angles, ultrasound_view


def allowed_columns(dataset: Dataset) -> dict[str, Any]:
    """Return what stands on the allow-list, without what concerns pixels and time."""
    primary, secondary = angles(dataset)
    sex = code(dataset, "PatientSex")
    angiography = (primary, secondary) != (None, None)
    return {
        "sop_class": code(dataset, "SOPClassUID"),
        "view": angiographic_view(primary, secondary) if angiography else ultrasound_view(dataset),
        "primary_angle_deg": primary,
        "secondary_angle_deg": secondary,
        "age_years": age_years(dataset),
        "sex": sex if sex in {"M", "F", "O"} else "",
        "manufacturer": text(dataset, "Manufacturer", longest=64),
        "model": text(dataset, "ManufacturerModelName", longest=64),
        "heart_rate_per_min": number(dataset, "HeartRate"),
        "burned_in": code(dataset, "BurnedInAnnotation") == "YES",
        "order": tuple(number(dataset, keyword) or 0.0 for keyword in ORDER),
        "regions": regions(dataset),
        "shutters": shutters(dataset),
    }


def identity(dataset: Dataset) -> Identity:
    """Return who and where: for ``private/`` and for taking names out of reports."""
    names = [text(dataset, keyword) for keyword in (*PERSONS, *PLACES)]
    several = [one for name in names for one in name.split("\\") if one]
    dates = [plain_date(text(dataset, keyword)) for keyword in DATES]
    return Identity(
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        birth_date=plain_date(text(dataset, "PatientBirthDate")),
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        instance_uid=text(dataset, "SOPInstanceUID"),
        accession=text(dataset, "AccessionNumber"),
        study_date=plain_date(text(dataset, "StudyDate")),
        study_time=text(dataset, "StudyTime"),
        institution=text(dataset, "InstitutionName"),
        names=tuple(dict.fromkeys(several)),
        dates=tuple(dict.fromkeys(one for one in dates if one)),
    )


def plain_date(stated: str) -> str:
    """Return a date as YYYYMMDD, from the standard's way or the older one with dots, else empty."""
    digits = stated.replace(".", "")[:8]
    return digits if parsed_date(digits) is not None else ""


def parsed_date(stated: str) -> date | None:
    """Return the day that YYYYMMDD names, or None."""
    if not re.fullmatch(r"[0-9]{8}", stated):
        return None
    try:
        return date(int(stated[:4]), int(stated[4:6]), int(stated[6:]))
    except ValueError:
        return None


def age_years(dataset: Dataset) -> int | None:
    """Return the age at the study in whole years, 90 where it is above 89, or None.

    PatientAge comes first; else birth and study dates are compared.
    """
    years = _stated_age(text(dataset, "PatientAge"))
    if years is None:
        born = parsed_date(plain_date(text(dataset, "PatientBirthDate")))
        studied = parsed_date(plain_date(text(dataset, "StudyDate")))
        if born is None or studied is None or studied < born:
            return None
        years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
    return min(years, MAX_AGE_YEARS + 1)


def _stated_age(stated: str) -> int | None:
    """Return the years of an age string such as "045Y" or "018M"."""
    match = re.fullmatch(r"([0-9]{1,3})([DWMY])", stated)
    if match is None:
        return None
    units_a_year = {"D": 365, "W": 52, "M": 12, "Y": 1}
    return int(match[1]) // units_a_year[match[2]]
