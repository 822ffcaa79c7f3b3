"""Scores by age, sex, site, machine, year and number of videos, and what the splits are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.config.schema import RunConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.subgroups import benjamini_hochberg, holm, subgroups
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.studies.attributes import Attributes
from cinelex.projects.studies.data import StudyData

BANDS = (0, 40, 50, 60, 70, 80)
"""Years from which an age band begins."""
SUBGROUPS, SPLITS, UNANSWERED = "subgroups", "splits", "unanswered"
"""Names of the tables."""


def subgroup_tables(
    data: StudyData,
    attributes: Attributes,
    values: Mapping[str, Float[np.ndarray, " study"]],
    config: RunConfig,
) -> list[Table]:
    """Return the table of subgroups, that of the splits, and what the manifest could not answer.

    Args:
        data: The studies of the run.
        attributes: What the manifest says of them.
        values: Scores of the test studies, by their label.
        config: The run.
    """
    found = [_subgroups(data.test, attributes, label, of, config) for label, of in values.items()]
    rows = [row for some in found for row in some]
    tables = [Table(name=SUBGROUPS, title="Subgroups", note=_note(found), rows=rows)]
    absent = [
        {"not_in_the_manifest": name, "so": "no subgroup and no null of it"}
        for name in attributes.absent
    ]
    if not attributes.patients:
        so = "each study counts as its own patient, and intervals resample studies"
        absent.append({"not_in_the_manifest": "patient", "so": so})
    note = "Name a column under data.columns, or add it, and evaluate again."
    tables.append(
        Table(name=SPLITS, title="Splits", note=_split_note(config), rows=_splits(data, attributes))
    )
    if absent:
        tables.append(Table(name=UNANSWERED, title="Could not be answered", note=note, rows=absent))
    return tables


def columns_of_subgroups(dataset: StudyDataset, attributes: Attributes) -> dict[str, list[str]]:
    """Return the subgroup of each study, by column; ages in bands, dates as years."""
    of = attributes.of(dataset.studies.ids)
    if "age" in of:
        of["age"] = [_band(text) for text in of["age"]]
    dates = of.pop("date", None)
    if dates and "year" not in of:
        of["year"] = [text[:4] for text in dates]
    return {
        **of,
        "number of videos": [str(count) for count in dataset.studies.video_counts.tolist()],
    }


def _subgroups(
    dataset: StudyDataset,
    attributes: Attributes,
    label: str,
    values: Float[np.ndarray, " study"],
    config: RunConfig,
) -> list[dict[str, Any]]:
    found = subgroups(
        columns_of_subgroups(dataset, attributes),
        values,
        dataset.patient_groups,
        resamples=config.evaluation.bootstrap,
        seed=config.seed,
    )
    tested = [one.p_value for one in found if one.p_value is not None]
    adjusted = iter(zip(holm(tested), benjamini_hochberg(tested), strict=True))
    rows = []
    for one in found:
        both = (None, None) if one.p_value is None else next(adjusted)
        rows.append(
            {
                "score": label,
                "column": one.column,
                "value": one.value,
                "items": one.items,
                "patients": one.patients,
                "mean": one.score,
                "low": one.low,
                "high": one.high,
                "overall": float(values.mean()),
                "effect": one.effect,
                "p_value": one.p_value,
                "holm": both[0],
                "benjamini_hochberg": both[1],
            }
        )
    return rows


def _note(found: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    asked = [row for rows in found for row in rows if row["low"] is not None]
    text = (
        "Intervals resample patients. Effect: difference to all other studies in standard "
        f"deviations; p-values are corrected over the {len(asked)} that are shown (Holm: any false "
        "finding; Benjamini-Hochberg: their share), score by score. "
    )
    if not asked:
        return f"{text}No subgroup is large enough to be judged."
    worst = min(asked, key=lambda row: row["mean"] - row["overall"])
    name = f"{worst['column']} {worst['value']}"
    return (
        f"{text}Weakest: {name}, {worst['score']} {worst['mean']:.3f} of {worst['items']} studies."
    )


def _splits(data: StudyData, attributes: Attributes) -> list[dict[str, Any]]:
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    patients = {
        name: set(one.studies.table["patient"].to_pylist()) for name, one in splits.items() if one
    }
    train = patients["train"]
    reports = set(data.train.studies.reports)
    rows = []
    for name, one in splits.items():
        if one is None:
            continue
        of = attributes.of(one.studies.ids)
        dates = sorted(text for text in of.get("date", of.get("year", [])) if text)
        own = one.studies.reports
        rows.append(
            {
                "split": name,
                "studies": len(one),
                "patients": len(patients[name]),
                "patients_in_training": None if name == "train" else len(patients[name] & train),
                "reports_in_training": None if name == "train" else sum(r in reports for r in own),
                "first_date": dates[0] if dates else None,
                "last_date": dates[-1] if dates else None,
                "sites": ", ".join(sorted(set(of.get("site", ())) - {""})) or None,
            }
        )
    return rows


def _split_note(config: RunConfig) -> str:
    by = config.data.split_by_patient
    kind = "the manifest's split column" if by is None else "a hash of the patient's id"
    return f"Split by {kind}; overlap of patients, reports and dates is measured, not asserted."


def _band(age: str) -> str:
    try:
        years = float(age.rstrip("Yy"))
    except ValueError:
        return ""
    starts = [start for start in BANDS if start <= years]
    if not starts:
        return ""
    after = next((start for start in BANDS if start > years), None)
    return f"{starts[-1]:02d}-{after - 1}" if after else f"{starts[-1]} and over"
