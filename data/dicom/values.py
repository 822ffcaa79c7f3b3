"""Values of a header as plain types; what is malformed counts as absent unless it must not be."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydicom.dataset import Dataset

from cinelex.data.dicom.errors import BROKEN, DicomError


def value(dataset: Dataset, keyword: str) -> Any:
    """Return the value of an element, or None where it is absent, empty or malformed."""
    try:
        found = dataset.get(keyword)
    except BROKEN:
        return None
    if isinstance(found, str | bytes | Sequence) and not len(found):
        return None
    return found


def text(dataset: Dataset, keyword: str, *, longest: int = 1024) -> str:
    """Return the value as one line of printable text, several values joined by a backslash."""
    found = value(dataset, keyword)
    if found is None:
        return ""
    several = found if isinstance(found, Sequence) and not isinstance(found, str) else [found]
    try:
        joined = "\\".join(str(one) for one in several)
    except BROKEN:
        return ""
    return "".join(one for one in joined if one.isprintable()).strip()[:longest]


def code(dataset: Dataset, keyword: str) -> str:
    """Return a code string (digits, capitals, underscores, dots); anything else is empty."""
    found = text(dataset, keyword, longest=64)
    return found if re.fullmatch(r"[A-Z0-9_.]*", found) else ""


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return the finite numbers of an element; empty where one of them is none."""
    found = value(dataset, keyword)
    if found is None:
        return []
    several = [found] if isinstance(found, str | int | float) else found
    try:
        values = [float(one) for one in several]
    except BROKEN:
        return []
    return values if all(math.isfinite(one) for one in values) else []


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the first number of an element."""
    return next(iter(numbers(dataset, keyword)), None)


def whole(dataset: Dataset, keyword: str, *, absent: int | None, reason: str) -> int:
    """Return the one whole number of an element.

    Raises:
        DicomError: With ``reason``: it is absent and ``absent`` is None, or no single whole number.
    """
    if keyword not in dataset:
        found = None
    else:
        found = value(dataset, keyword)
        if found is not None and (len(values := numbers(dataset, keyword)) != 1 or values[0] % 1):
            raise DicomError(reason)
    if found is None:
        if absent is None:
            raise DicomError(reason)
        return absent
    return int(numbers(dataset, keyword)[0])


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent or malformed."""
    found = value(dataset, keyword)
    if not isinstance(found, Sequence):
        return []
    try:
        return [item for item in found if isinstance(item, Dataset)]
    except BROKEN:
        return []


def functional_groups(dataset: Dataset, keyword: str) -> Iterator[Dataset]:
    """Yield the items of one functional group: the shared one first, then those of the frames."""
    for whose in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in items(dataset, whose):
            yield from items(group, keyword)
