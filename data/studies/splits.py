"""Splits: made by patient, and named in messages."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import split_name
from cinelex.data.tables.names import SPELLING

MAX_SHOWN = 8
USUAL = (
    "all train val test dev tune held out holdout fold external internal none unused pool "
    "calibration extra unlabeled unlabelled support query gallery"
)
"""Words that splits are called by."""
HELD_OUT = 15
"""Salt of what validates where no split does."""
FEWEST = 3
"""Studies that a name of no usual word must have to be taken for a split's."""


@dataclass(frozen=True)
class Shares:
    """How the patients of a manifest without a split column are split."""

    train: float
    val: float
    test: float
    salt: int = 0
    """Another salt is another split."""


def split_by_patient(studies: Studies, shares: Shares) -> Studies:
    """Return the studies with each in the split that its patient's id draws.

    A patient's split follows from the id and the salt alone, so that studies that are added later
    move none. Each split gets its share of the patients on average.
    """
    patients = studies.table["patient"].combine_chunks().dictionary_encode()
    drawn = np.array([_draw(text, shares.salt) for text in patients.dictionary.to_pylist()])
    edges = np.cumsum([shares.train, shares.val])
    names = pa.array(["train", "val", "test"], pa.large_string())
    split = names.take(pa.array(np.searchsorted(edges, drawn, side="right")))
    column = split.take(pc.cast(patients.indices, pa.int64()))
    place = studies.table.column_names.index("split")
    return Studies(studies.table.set_column(place, "split", column), studies.root)


def hold_out(studies: Studies, *, split: str, share: float, name: str) -> Studies:
    """Return the studies with those of a share of one split's patients in another split.

    Which patients follows from their ids alone, as in `split_by_patient`; at least one is taken.
    """
    patients = np.array(studies.table["patient"].to_pylist(), object)
    column = np.array(studies.table["split"].to_pylist(), object)
    there = sorted(set(patients[column == split]), key=lambda text: _draw(text, HELD_OUT))
    taken = there[: max(1, round(share * len(there)))]
    column[np.isin(patients, np.array(taken, object)) & (column == split)] = name
    place, kind = studies.table.column_names.index("split"), studies.table["split"].type
    table = studies.table.set_column(place, "split", pa.array(column).cast(kind))
    return Studies(table, studies.root)


def _draw(patient: str, salt: int) -> float:
    """Return a number in [0, 1) that looks random and depends on patient and salt alone."""
    digest = hashlib.sha256(f"{salt}:{patient}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def split_names_text(splits: Mapping[str, int], *, wanted: str) -> str:
    """Return the splits there are with their studies, for a message.

    A name that may be content, because the column is another than was meant, is only counted.
    """
    safe = {name: count for name, count in splits.items() if _is_a_splits(name, count, wanted)}
    listed = [f"{name} ({count})" for name, count in list(safe.items())[:MAX_SHOWN]]
    others = len(splits) - len(listed)
    if others:
        listed.append(f"{others} other names; is that the column of the split?")
    return ", ".join(listed)


def _is_a_splits(name: str, count: int, wanted: str) -> bool:
    words = [*USUAL.split(), split_name(wanted)]
    usual = all(
        word.isdigit() or get_close_matches(word, words, n=1, cutoff=SPELLING)
        for word in re.findall(r"[^\W_]+", name)
    )
    plain = re.fullmatch(r"[a-z][a-z0-9_ -]{0,19}", name) is not None
    return usual or (plain and count >= FEWEST)
