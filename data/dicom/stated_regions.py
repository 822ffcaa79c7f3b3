"""Where a header says that the picture is: ultrasound regions, shutters and collimators."""

from typing import Any, Final

from pydicom.dataset import Dataset

from cinelex.data.dicom.shapes import Box, Region, Shutter
from cinelex.data.dicom.values import code, items, number, numbers

TWO_DIMENSIONAL: Final = 1
TISSUE: Final = 1
COLOUR_FLOW: Final = 2
EDGES: Final = ("MinY0", "MinX0", "MaxY1", "MaxX1")
IN_BEAM: Final = frozenset({0, TISSUE, COLOUR_FLOW, 19})
"""RegionDataType of what lies in a beam: unsaid, tissue, colour flow, power."""


def regions(dataset: Dataset) -> tuple[Region, ...]:
    """Return the two-dimensional regions of SequenceOfUltrasoundRegions that show a beam."""
    found: list[Region] = []
    for item in items(dataset, "SequenceOfUltrasoundRegions"):
        space, shown = number(item, "RegionSpatialFormat"), number(item, "RegionDataType")
        edges = [numbers(item, f"RegionLocation{edge}")[:1] for edge in EDGES]
        if not all(edges) or space not in {0, TWO_DIMENSIONAL} or shown not in IN_BEAM:
            continue
        top, left, bottom, right = (int(edge[0]) for edge in edges)
        found.append((top, left, bottom + 1, right + 1, int(shown or 0)))
    # what is said to be tissue or flow is narrower than what is said to be nothing in particular
    said = tuple(region for region in found if region[-1])
    return said or tuple(found)


def shutters(dataset: Dataset) -> tuple[Shutter, ...]:
    """Return the shutters and collimators of a header; what is open lies inside all of them.

    Rows and columns of a header count from 1 and are open themselves.
    """
    found: list[Shutter] = []
    for kind in ("Shutter", "Collimator"):
        shapes = code(dataset, f"{kind}Shape")
        parts: dict[str, Any] = {
            "rectangle": _rectangle(dataset, kind),
            "circle": _circle(dataset, kind),
            "polygon": _polygon(dataset, kind),
        }
        found += [(name, part) for name, part in parts.items() if shapes and part]
    return tuple(found)


def _rectangle(dataset: Dataset, kind: str) -> Box | None:
    names = ("UpperHorizontal", "LeftVertical", "LowerHorizontal", "RightVertical")
    top, left, bottom, right = (number(dataset, f"{kind}{name}Edge") for name in names)
    if top is None or left is None or bottom is None or right is None:
        return None
    return int(top) - 1, int(left) - 1, int(bottom), int(right)


def _circle(dataset: Dataset, kind: str) -> tuple[int, int, int] | None:
    center = numbers(dataset, f"CenterOfCircular{kind}")
    radius = number(dataset, f"RadiusOfCircular{kind}")
    if len(center) != 2 or not radius:
        return None
    return int(center[0]) - 1, int(center[1]) - 1, int(radius)


def _polygon(dataset: Dataset, kind: str) -> tuple[int, ...] | None:
    corners = numbers(dataset, f"VerticesOfThePolygonal{kind}")
    if len(corners) < 6 or len(corners) % 2:
        return None
    return tuple(int(one) - 1 for one in corners)
