"""Names of projections and views."""

import pytest
from pydicom.dataset import Dataset

from cinelex.data.dicom.views import angiographic_view, angles, ultrasound_view


@pytest.mark.parametrize(
    ("primary", "secondary", "name"),
    [
        (-30.0, -20.0, "RAO 30 CAU 20"),
        (45.4, 0.0, "LAO 45"),
        (0.3, 25.0, "CRA 25"),
        (0.0, -0.2, "AP"),
        (None, 20.0, "unknown"),
    ],
)
def test_angles_have_names(primary: float | None, secondary: float | None, name: str) -> None:
    assert angiographic_view(primary, secondary) == name


def test_angles_of_enhanced_objects_stand_in_functional_groups() -> None:
    position, group, dataset = Dataset(), Dataset(), Dataset()
    position.PositionerPrimaryAngle, position.PositionerSecondaryAngle = 12.5, -3.0
    group.PositionerPositionSequence = [position]
    dataset.SharedFunctionalGroupsSequence = [group]
    assert angles(dataset) == (12.5, -3.0)


@pytest.mark.parametrize(("scheme", "code"), [("SCT", "399214001"), ("SRT", "G-A19C")])
def test_a_coded_view_has_the_standards_name_whatever_the_header_calls_it(
    scheme: str, code: str
) -> None:
    item, dataset = Dataset(), Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, "Canarella"
    dataset.ViewCodeSequence = [item]
    assert ultrasound_view(dataset) == "Apical four chamber"


@pytest.mark.parametrize(("name", "view"), [("a4c", "A4C"), ("Mr Canarella", "unknown")])
def test_a_free_name_is_taken_where_it_is_a_known_one(name: str, view: str) -> None:
    for keyword in ("ViewName", "SeriesDescription"):
        dataset = Dataset()
        setattr(dataset, keyword, name)
        assert ultrasound_view(dataset) == view
