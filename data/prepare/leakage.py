"""Equal and near-equal cines and reports that stand in different splits."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from cinelex.data.prepare.likeness import BYTES

MAX_BITS = 7
"""Bits of 256 in which the codes of near-equal cines differ, at most."""
BANDS = MAX_BITS + 1
"""Codes that differ in fewer bits than there are bands have a band in common."""
MAX_GROUP = 2000
"""Cines with one band in common, such as a black one; of more, the band says nothing."""


def near_pairs(codes: UInt8[np.ndarray, "cine byte"]) -> list[tuple[int, int]]:
    """Return the pairs of cines whose codes differ in at most ``MAX_BITS`` bits, in order."""
    width = BYTES // BANDS
    pairs: set[tuple[int, int]] = set()
    for band in range(BANDS):
        words = np.ascontiguousarray(codes[:, band * width : (band + 1) * width])
        for group in _equal(words.view(f">u{width}").ravel()):
            pairs.update(_close(codes, group))
    return sorted(pairs)


def _equal(words: "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]") -> Iterator[np.ndarray]:
    """Yield the places of equal words, of those that tell anything."""
    order = np.argsort(words, kind="stable")
    ends = np.flatnonzero(np.diff(words[order])) + 1
    for group in np.split(order, ends):
        if 1 < len(group) <= MAX_GROUP:
            yield np.sort(group)


def _close(codes: UInt8[np.ndarray, "cine byte"], group: np.ndarray) -> Iterator[tuple[int, int]]:
    for place, first in enumerate(group[:-1]):
        others = group[place + 1 :]
        bits = np.bitwise_count(codes[others] ^ codes[first]).sum(axis=1)
        for other in others[bits <= MAX_BITS]:
            yield int(first), int(other)


def across_splits(cines: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of equal or near-equal cines of different splits.

    Args:
        cines: "key", "likeness", "pixels" and "split" of the cines that are kept.

    Returns:
        "first", "second" (keys), "splits" and "equal".
    """
    cines = cines.reset_index(drop=True)
    codes = np.frombuffer(b"".join(cines["likeness"]), np.uint8).reshape(-1, BYTES)
    splits, keys, pixels = (cines[name].tolist() for name in ("split", "key", "pixels"))
    rows = [
        {
            "first": keys[one],
            "second": keys[two],
            "splits": " and ".join(sorted((splits[one], splits[two]))),
            "equal": pixels[one] == pixels[two],
        }
        for one, two in near_pairs(codes)
        if splits[one] != splits[two]
    ]
    return pd.DataFrame(rows, columns=["first", "second", "splits", "equal"])


def reports_across_splits(studies: pd.DataFrame) -> int:
    """Return how many reports stand, word for word, in more than one split."""
    reported = studies[studies["report"].fillna("") != ""]
    return int((reported.groupby("report")["split"].nunique() > 1).sum())


def dates_across_splits(studies: pd.DataFrame) -> int:
    """Return how many studies to train on took place on or after the first held-out one."""
    days = studies["study_date"]
    held_out = days[studies["split"] != "train"].min()
    train = days[studies["split"] == "train"].dropna()
    return int((train >= held_out).sum()) if isinstance(held_out, str) else 0
