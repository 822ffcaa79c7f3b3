"""Where the heads are weak: each place that a fact is asked of, by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.metrics.bootstrap import Groups
from cinelex.metrics.facts.segments import spoken
from cinelex.metrics.weighted import auroc_of, estimated
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.multitask.fact_reading import Answers, FactReader, words_of

FEW = 5
"""Studies with the fact at a place, or without it, below which the place is not called weak."""
Row = Mapping[str, Any]


def place_tables(
    reader: FactReader,
    answers: Answers,
    truth: Float[np.ndarray, "study fact"],
    patients: Groups,
    *,
    mean: Float[np.ndarray, " fact"],
    resamples: int,
    seed: int,
) -> list[Table]:
    """Return a table of how well a fact is told at each place, the weakest named in its note.

    Args:
        reader: What the answers mean.
        answers: Of the heads, for held-out studies.
        truth: What their reports state; NaN where they are silent.
        patients: The patient of each study.
        mean: What the training reports state on average, which answers every study alike.
        resamples: Of patients, behind each interval.
        seed: Of the resamples.
    """
    rows: list[Row] = []
    for attribute in reader.vocabulary.attributes:
        places = reader.places(attribute, "level")
        if attribute.kind == "choice" or len(places) < 2:
            continue
        level = reader.probabilities(attribute, answers) if attribute.kind != "number" else None
        said = {}
        if attribute.kind != "presence":
            said["mean_error"] = reader.numbers(attribute, answers)
            part = "value" if attribute.kind == "extent" else "level"
            constant = mean[reader.places(attribute, part)]
            said["predict_the_mean"] = np.broadcast_to(constant, said["mean_error"].shape)
        for number, column in enumerate(places):
            stated = np.isfinite(truth[:, column])
            told, owners = truth[stated, column], patients[stated]
            there = told > 0
            area: Mapping[str, float | None] = {"value": None, "low": None, "high": None}
            if level is not None:
                own = auroc_of(level[stated, number], there)
                area = estimated(own, owners, resamples=resamples, seed=seed)
            counted = truth[:, column] > 0 if attribute.kind == "extent" else stated
            errors = {
                name: _mean_error(values[counted, number], truth[counted, column])
                for name, values in said.items()
            }
            rows.append(
                {
                    "fact": words_of(attribute.name),
                    "place": spoken(reader.columns[column].place),
                    "studies": len(told),
                    "with_it": int(there.sum()),
                    "auroc": area["value"],
                    "low": area["low"],
                    "high": area["high"],
                    "mean_error": None,
                    "predict_the_mean": None,
                    **errors,
                }
            )
    if not rows:
        return []
    note = (
        "AUROC of presence beside chance 0.5; mean error where it is there, beside that of the "
        f"training reports' mean. {_weakest(rows)}"
    )
    return [Table(name="places", title="Place by place", note=note, rows=rows)]


def _mean_error(
    said: Float[np.ndarray, " study"], told: Float[np.ndarray, " study"]
) -> float | None:
    return float(np.abs(said - told).mean()) if len(told) else None


def _weakest(rows: list[Row]) -> str:
    asked = [
        row
        for row in rows
        if row["auroc"] is not None and FEW <= row["with_it"] <= row["studies"] - FEW
    ]
    if not asked:
        return f"No place has {FEW} studies with the fact and {FEW} without it."
    worst = min(asked, key=lambda row: row["auroc"])
    return (
        f"Weakest: {worst['fact'].lower()} of {worst['place']}, AUROC {worst['auroc']:.3f} of "
        f"{worst['with_it']} studies with it and {worst['studies'] - worst['with_it']} without."
    )
