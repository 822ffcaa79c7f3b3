"""How alike splits are, beside what random splits of the same patients would be."""

from typing import Any

import numpy as np
import pandas as pd

from cinelex.core.randomness import numpy_generator

SPLITS = ("train", "val", "test")
COLUMNS = ("modality", "sex", "age", "year", "site", "manufacturer")
DRAWS = 200


def likeness_of_splits(studies: pd.DataFrame) -> list[tuple[str, int, str, str]]:
    """Return for each subgroup column its values, the largest distance, and its null.

    The distance is the total variation between the shares of a held-out split and of train; the
    null is the 95th percentile of it when whole patients are shared out anew at random.
    """
    patients, owner = np.unique(studies["patient_id"].to_numpy(str), return_inverse=True)
    split = pd.Categorical(studies["split"], categories=SPLITS).codes
    own = np.zeros(len(patients), np.int64)
    own[owner] = split
    rows = []
    for name in COLUMNS:
        codes, values = pd.factorize(_cells(studies, name))
        shuffled = [
            _distance(codes, numpy_generator(0, name, draw).permutation(own)[owner])
            for draw in range(DRAWS)
        ]
        found = _distance(codes, split)
        null = float(np.quantile(shuffled, 0.95))
        rows.append((name, len(values), f"{found:.3f}", f"{null:.3f}"))
    return rows


def _cells(studies: pd.DataFrame, name: str) -> "pd.Series[Any]":
    cells = studies[name]
    if name == "age":
        cells = (cells.astype(float) // 10 * 10).astype(object)
    return cells.astype(object).where(cells.notna(), "")


def _distance(codes: np.ndarray, split: np.ndarray) -> float:
    shares = [
        np.bincount(codes[split == part], minlength=codes.max(initial=0) + 1) / count
        for part in range(len(SPLITS))
        if (count := int((split == part).sum()))
    ]
    return max((float(np.abs(other - shares[0]).sum() / 2) for other in shares[1:]), default=0.0)
