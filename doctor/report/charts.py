"""The charts of the report page: what the record says about the run, step by step."""

import math
from collections.abc import Sequence
from typing import Any

from cinelex.doctor.report.names import (
    DIRECTIONS,
    NULL_NOTES,
    RETRIEVAL,
    TERM_NOTES,
    TERMS,
    name_of,
)
from cinelex.doctor.report.plots import Chart, Points, Series, line_chart
from cinelex.doctor.run_files import Row, RunFiles

_HELD_OUT = ("recall_at_1", "recall_at_5", "recall_at_10")
_SKEWED = 20.0


def loss_charts(run: RunFiles) -> list[Chart]:
    """Return a chart for each unweighted loss term, with its chance and its floor."""
    terms = [key.removeprefix("loss/") for key in _keys(run.steps) if key.startswith("loss/")]
    charts = []
    for term in terms:
        nulls = [Series(null, points_of(run.steps, f"{null}/{term}")) for null in NULL_NOTES]
        title = TERMS.get(term, term)
        lines = [Series("loss", points_of(run.steps, f"loss/{term}"))]
        note = _loss_note(term, nulls)
        charts.append(line_chart(title, note=note, lines=lines, nulls=nulls))
    return [chart for chart in charts if chart is not None]


def course_charts(run: RunFiles) -> list[Chart]:
    """Return temperature, learning rate and gradient norm over the run."""
    limit = Series(
        "clipped above", _constant(run, run.config.max_grad_norm if run.config else None)
    )
    norms = points_of(run.steps, "grad_norm")
    charts = [
        line_chart(
            "Temperature",
            note="Divisor of the cosines.",
            lines=[Series("temperature", points_of(run.steps, "temperature"))],
        ),
        line_chart(
            "Learning rate",
            note="As scheduled, a function of the optimizer step.",
            lines=[Series("learning rate", points_of(run.steps, "learning_rate"))],
        ),
        line_chart(
            "Gradient norm",
            note="L2 norm before clipping.",
            lines=[Series("norm", norms)],
            nulls=[limit],
            log=_skewed(norms),
        ),
    ]
    return [chart for chart in charts if chart is not None]


def held_out_charts(run: RunFiles) -> list[Chart]:
    """Return held-out retrieval during the run, both ways, beside chance."""
    charts = []
    for metric in _HELD_OUT:
        lines: list[Series] = []
        nulls: list[Series] = []
        for direction, label in DIRECTIONS.items():
            key = f"retrieval/{direction}/{metric}"
            lines.append(Series(label, points_of(run.validations, key)))
            chance = points_of(run.validations, f"{key}/chance")
            if chance and not any(series.points == chance for series in nulls):
                nulls.append(Series(f"chance, {label}" if nulls else "chance", chance))
        title = f"{name_of(RETRIEVAL, metric).label}, validation"
        note = "Share of queries, whole validation gallery."
        charts.append(line_chart(title, note=note, lines=lines, nulls=nulls))
    charts.append(_cosines(run))
    return [chart for chart in charts if chart is not None]


def _cosines(run: RunFiles) -> Chart | None:
    """Return the cosines of studies with their own and with other reports: only the gap counts."""
    names = {"positive_cosine": "own report", "negative_cosine": "other reports"}
    return line_chart(
        "Cosines, validation",
        note="Collapse lifts both; only the gap says that something was learned.",
        lines=[
            Series(label, points_of(run.validations, f"retrieval/{key}"))
            for key, label in names.items()
        ],
    )


def points_of(rows: Sequence[Row], key: str) -> Points:
    """Return step and value of one key, where it is a finite number."""
    return [
        (float(row["step"]), float(row[key]))
        for row in rows
        if _finite(row.get(key)) and _finite(row.get("step"))
    ]


def _loss_note(term: str, nulls: Sequence[Series]) -> str:
    given = [NULL_NOTES[series.label] for series in nulls if series.points]
    return " ".join([TERM_NOTES.get(term, "Unweighted."), *given])


def _constant(run: RunFiles, value: float | None) -> Points:
    if value is None or not run.steps:
        return []
    return [(float(run.steps[0]["step"]), value), (float(run.steps[-1]["step"]), value)]


def _skewed(points: Points) -> bool:
    values = sorted(value for _, value in points)
    return bool(values) and values[0] > 0 and values[-1] > _SKEWED * values[len(values) // 2]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _keys(rows: Sequence[Row]) -> list[str]:
    """Return the keys of all rows in the order in which they first appear."""
    return list(dict.fromkeys(key for row in rows for key in row))
