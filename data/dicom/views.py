"""From where a cine was taken: positioner angles by name, ultrasound views where a code says so."""

from typing import Final

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from cinelex.data.dicom.values import functional_groups, items, number, text

UNKNOWN: Final = "unknown"
STRAIGHT_DEG: Final = 0.5
"""Angles that round to 0 have no name."""
NAMES: Final = frozenset(
    {
        "PLAX",
        "PSAX",
        "A2C",
        "A3C",
        "A4C",
        "A5C",
        "SC4C",
        "SAX",
        "LAX",
        "SC",
        "2CH",
        "3CH",
        "4CH",
        "5CH",
    }
)
"""What ViewName or SeriesDescription may say; anything else in them is free text, and stays."""

VIEWS: Final = tuple(getattr(codes.CID12226, name) for name in codes.CID12226.dir())
"""The echocardiographic views of the standard."""


def angles(dataset: Dataset) -> tuple[float | None, float | None]:
    """Return the positioner's primary and secondary angle in degrees, as far as they are stated."""
    for place in (dataset, *functional_groups(dataset, "PositionerPositionSequence")):
        pair = (
            number(place, "PositionerPrimaryAngle"),
            number(place, "PositionerSecondaryAngle"),
        )
        if pair != (None, None):
            return pair
    return None, None


def angiographic_view(primary_deg: float | None, secondary_deg: float | None) -> str:
    """Return the name of a projection, such as "RAO 30 CAU 20"; "AP" is straight from the front.

    Primary angles are positive towards the patient's left (LAO), secondary ones towards the head.
    """
    if primary_deg is None or secondary_deg is None:
        return UNKNOWN
    named = (
        (primary_deg, "LAO" if primary_deg > 0 else "RAO"),
        (secondary_deg, "CRA" if secondary_deg > 0 else "CAU"),
    )
    parts = [f"{name} {abs(angle):.0f}" for angle, name in named if abs(angle) >= STRAIGHT_DEG]
    return " ".join(parts) or "AP"


def ultrasound_view(dataset: Dataset) -> str:
    """Return the view that a code of the standard's table, or a known short name, states."""
    for item in items(dataset, "ViewCodeSequence"):
        stated = Code(text(item, "CodeValue"), text(item, "CodingSchemeDesignator"), "")
        for view in VIEWS:
            if stated == view:  # SNOMED's older codes are equal to its newer ones
                return str(view.meaning)
    names = (text(dataset, keyword).upper() for keyword in ("ViewName", "SeriesDescription"))
    return next((name for name in names if name in NAMES), UNKNOWN)
