"""From stored gray levels to the 8 bit that a viewer shows, by one table for the whole cine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int, UInt8
from pydicom.dataset import Dataset

from cinelex.data.dicom.histogram import Codes, ends, histogram
from cinelex.data.dicom.layout import Layout
from cinelex.data.dicom.values import functional_groups, items, number, numbers, text, value

SHARES: Final = (0.1 / 100, 99.9 / 100)
"""Of all pixels of a cine: what becomes black and white where the header has no window."""


@dataclass(frozen=True)
class Display:
    """The header's way from stored values to gray levels."""

    table: UInt8[np.ndarray, " code"] | None
    """The gray level of every stored code; None where the header leaves it to the cine."""
    values: Float[np.ndarray, " stored"]
    """What the modality transformation makes of every stored value."""
    parts: tuple[int, int, int]
    """How many values a code's bits above, among and below the stored ones can have."""
    inverted: bool
    """Whether small values are white (MONOCHROME1)."""

    def stretched(self, runs: Sequence[Codes]) -> UInt8[np.ndarray, " code"]:
        """Return the table that maps the percentiles of a whole cine to black and white."""
        counts = self._counts(runs).reshape(self.parts).sum((0, 2))
        order = np.argsort(self.values, kind="stable")
        below = np.cumsum(counts[order]) / max(counts.sum(), 1)
        low, high = (float(self.values[order[np.searchsorted(below, share)]]) for share in SHARES)
        shares = (self.values - low) / max(high - low, 1e-12)
        return _of_codes(_eight_bit(shares, self.inverted), self.parts)

    def _counts(self, runs: Sequence[Codes]) -> Int[np.ndarray, " code"]:
        _, stored, lower = self.parts
        codes, counts = math.prod(self.parts), None
        if lower == 1 and bool((np.diff(self.values) > 0).all()):
            counts = ends(runs, codes, stored=stored, shares=SHARES)
        return histogram(runs, codes) if counts is None else counts


def display(dataset: Dataset, layout: Layout) -> Display:
    """Return how the header has its gray levels shown.

    Modality first (a table, or slope and intercept), then VOI (a table, or the first window). What
    has 8 stored bits and neither a window nor a table is shown as it stands.
    """
    inverted = layout.photometric == "MONOCHROME1" or (
        layout.photometric == "MONOCHROME2" and text(dataset, "PresentationLUTShape") == "INVERSE"
    )
    stored = _stored_values(layout)
    values = _modality(dataset, stored)
    shares = _voi(dataset, values)
    if shares is None and layout.bits_stored == 8 and not items(dataset, "ModalityLUTSequence"):
        shares = (stored - stored.min()) / 255
    parts = (
        1 << (layout.bits_allocated - 1 - layout.high_bit),
        1 << layout.bits_stored,
        1 << (layout.high_bit + 1 - layout.bits_stored),
    )
    table = None if shares is None else _of_codes(_eight_bit(shares, inverted), parts)
    return Display(table, values, parts, inverted)


def _eight_bit(
    shares: Float[np.ndarray, " stored"], inverted: bool
) -> UInt8[np.ndarray, " stored"]:
    levels = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return 255 - levels if inverted else levels


def _of_codes(
    levels: UInt8[np.ndarray, " stored"], parts: tuple[int, int, int]
) -> UInt8[np.ndarray, " code"]:
    """Return the level of each code; bits outside the stored ones (old overlays) change nothing."""
    return np.broadcast_to(levels[:, None], parts).ravel()


def _stored_values(layout: Layout) -> Float[np.ndarray, " stored"]:
    """Return the number that each pattern of the stored bits stands for."""
    values = np.arange(1 << layout.bits_stored)
    if layout.signed:
        values = values - ((values >> (layout.bits_stored - 1)) << layout.bits_stored)
    return values.astype(np.float64)


def _modality(
    dataset: Dataset, stored: Float[np.ndarray, " stored"]
) -> Float[np.ndarray, " stored"]:
    for item in items(dataset, "ModalityLUTSequence"):
        table = _table(item, dataset)
        if table is not None:
            first, entries = table
            return entries[np.clip(stored - first, 0, len(entries) - 1).astype(int)]
    for place in (dataset, *functional_groups(dataset, "PixelValueTransformationSequence")):
        slope, intercept = number(place, "RescaleSlope"), number(place, "RescaleIntercept")
        if slope:
            return stored * slope + (intercept or 0.0)
    return stored


def _voi(
    dataset: Dataset, values: Float[np.ndarray, " stored"]
) -> Float[np.ndarray, " stored"] | None:
    """Return the share of white of each stored value, or None where the header does not say."""
    for item in items(dataset, "VOILUTSequence"):
        table = _table(item, dataset)
        if table is not None:
            first, entries = table
            levels = entries[np.clip(values - first, 0, len(entries) - 1).astype(int)]
            return levels / max(float(entries.max()), 1.0)
    for place in (dataset, *functional_groups(dataset, "FrameVOILUTSequence")):
        centers, widths = numbers(place, "WindowCenter"), numbers(place, "WindowWidth")
        if centers and widths and widths[0] >= 1:
            function = text(place, "VOILUTFunction") or "LINEAR"
            return _window(values, centers[0], widths[0], function)
    return None


def _window(
    values: Float[np.ndarray, " stored"], center: float, width: float, function: str
) -> Float[np.ndarray, " stored"]:
    """Return the share of white under a window.

    Source: DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3.
    """
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * np.clip((values - center) / width, -100, 100)))
    if function == "LINEAR_EXACT":
        return (values - center) / width + 0.5
    return (values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5


def _table(item: Dataset, dataset: Dataset) -> tuple[int, Float[np.ndarray, " entry"]] | None:
    """Return the first value that a table maps, and its entries; None where it is broken."""
    descriptor = numbers(item, "LUTDescriptor")
    found = value(item, "LUTData")
    if len(descriptor) != 3 or found is None:
        return None
    if isinstance(found, bytes):
        entries = np.frombuffer(
            found[: len(found) // 2 * 2], "<u2" if dataset.original_encoding[1] else ">u2"
        )
    else:
        entries = np.atleast_1d(np.array(found, np.float64))
    first = int(descriptor[1])
    return (first, entries.astype(np.float64)) if len(entries) else None
