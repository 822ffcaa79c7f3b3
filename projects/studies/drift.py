"""Whether held-out studies differ from those of training in more than who they are."""

from typing import Any

import numpy as np
from jaxtyping import Bool

from cinelex.config.schema import DataConfig
from cinelex.metrics.drift import drift, indicators, parts
from cinelex.metrics.subgroups import holm
from cinelex.projects.studies.attributes import Attributes, read_attributes
from cinelex.projects.studies.data import StudyData

MAX_STUDIES = 5_000
"""That are looked at, evenly spaced."""
BY_TIME = 0.8
"""Share of the held-out studies behind the median of training from which a split is by time."""


def split_diagnostics(data: StudyData, config: DataConfig) -> dict[str, Any]:
    """Return how far held-out studies are from training in what a manifest says of them.

    ``data/drift`` holds distance and corrected p-value (Holm) by attribute;
    ``data/dates_overlap``, where the splits follow one another in time, the share of the held-out
    studies that are dated before the last one of training.
    """
    splits = [one for one in (data.train, data.validation, data.test) if one is not None]
    ids = [name for split in splits for name in split.studies.ids]
    held_out = np.repeat([split is not data.train for split in splits], [len(s) for s in splits])
    lengths = np.array([len(text) for s in splits for text in s.studies.reports], np.float64)
    patients = np.unique(
        np.array([one for s in splits for one in s.studies.table["patient"].to_pylist()]),
        return_inverse=True,
    )[1]
    path, column = data.manifest
    attributes = read_attributes(config, path, column, patients=True)
    kept = slice(None, None, max(1, -(-len(ids) // MAX_STUDIES)))
    tables = {"length of the report": parts(lengths[kept])}
    for name, texts in attributes.of(ids[kept]).items():
        tables[name] = (
            parts(_numbers(texts)) if name in ("age", "year", "date") else indicators(texts)
        )
    told = {name: table for name, table in tables.items() if (table.sum(axis=0) > 0).sum() > 1}
    found = {name: drift(table, held_out[kept], patients[kept]) for name, table in told.items()}
    corrected = holm([one.p_value for one in found.values()])
    return {
        "data/drift": {
            name: [one.distance, p] for (name, one), p in zip(found.items(), corrected, strict=True)
        },
        **_overlap(attributes, ids, held_out),
    }


def _numbers(texts: list[str]) -> np.ndarray:
    """Return ages, years, or dates as numbers that rise with them; NaN where there is none."""
    digits = ["".join(c for c in text.split("T")[0] if c.isdigit() or c == ".") for text in texts]
    return np.array(
        [float(one) if one.count(".") < 2 and one.strip(".") else np.nan for one in digits]
    )


def _overlap(
    attributes: Attributes, ids: list[str], held_out: Bool[np.ndarray, " study"]
) -> dict[str, float]:
    of = attributes.of(ids)
    dates = _numbers(of.get("date", of.get("year", [])))
    if not len(dates) or np.isnan(dates).all():
        return {}
    train, later = (dates[side & np.isfinite(dates)] for side in (~held_out, held_out))
    if not len(train) or not len(later):
        return {}
    # ties speak for nothing: a year holds studies of both splits
    behind = float((later[:, None] > np.quantile(train, (0.5, 0.9))).mean(axis=0).min())
    if behind < BY_TIME:
        return {}
    return {"data/dates_overlap": float((later < train.max()).mean())}
