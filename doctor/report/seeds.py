"""The page of several seeds: what they agree on, and what is above its nulls over all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinelex.doctor.charts import short
from cinelex.doctor.templates import write_page
from cinelex.metrics.paired import paired_difference
from cinelex.projects.interface.exhibits import Table

CUTOFFS = (1, 5)
ABOUT = 7
"""Columns of a score over seeds that are no run's."""
NOTE = (
    "Paired by study; seeds and patients are resampled together, so that the 95 % interval holds "
    "for other seeds and other patients. Fewer than 3 seeds claim nothing."
)
NONE = (
    "Not answered: the runs keep no ranks beside nulls (predictions/outcomes.csv), or were "
    "evaluated on different studies."
)


def paired_nulls(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """Return how far recall is above each null, resampled over seeds and patients at once.

    Nothing where the runs keep no ``outcomes.csv``, or were evaluated on different studies.
    """
    from pandas import read_csv  # here, because it takes a second

    files = [run / "predictions" / "outcomes.csv" for run in runs]
    if not all(file.is_file() for file in files):
        return []
    tables = [read_csv(file, dtype={"study_id": str}) for file in files]
    if any(not table["study_id"].equals(tables[0]["study_id"]) for table in tables):
        return []
    nulls = [name for name in map(str, tables[0].columns) if name.startswith("rank.")]
    shared = [name for name in nulls if all(name in table for table in tables)]
    rows = []
    for cutoff in CUTOFFS:
        hits = {
            name: np.stack([(table[name] <= cutoff).to_numpy(float) for table in tables])
            for name in ("rank", *shared)
        }
        for name in shared:
            patients = tables[0]["patient"].to_numpy()
            gap = paired_difference(hits[name], hits["rank"], groups=patients)
            rows.append(
                {
                    "score": f"recall at {cutoff}, study to report",
                    "null": name.removeprefix("rank.").replace("_", " "),
                    "mean": float(hits["rank"].mean()),
                    "of_the_null": float(hits[name].mean()),
                    **{"difference": gap.value, "low": gap.low, "high": gap.high},
                    **{"p_value": gap.p_value, "verdict": gap.verdict},
                }
            )
    return rows


def write_seeds(
    path: Path,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    paired: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the page and return its path.

    Args:
        path: The file.
        name: Of the config.
        rows: Every score over the seeds.
        paired: What `paired_nulls` returned.
    """
    count = len(rows[0]) - ABOUT if rows else 0
    every = Table(
        name="seeds",
        title="Every score over the seeds",
        note=f"Mean and standard deviation over {count} runs; low and high: Student's 95 % "
        "interval of the mean, for other seeds on the same studies. A dash: a run leaves the "
        "score undefined, all runs are alike, or chance says nothing of it.",
        rows=[_shown(row) for row in rows],
    )
    beside = Table(
        name="paired",
        title="Beside the nulls",
        note=NOTE if paired else NONE,
        rows=paired,
    )
    tables = [every, beside]
    return write_page(path, "report/seeds.html.jinja", name=name, tables=tables, short=short)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose first cell names the score whole, which stays in sight on a phone."""
    rest = {name: value for name, value in row.items() if name not in ("group", "score")}
    return {"score": f"{row['group']}: {row['score']}", **rest}
