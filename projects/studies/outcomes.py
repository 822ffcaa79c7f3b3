"""A row a held-out study with the rank of its own report, for paired tests of runs and nulls."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.ranking import Ranking

DIRECTION = "study_to_report"


def keep_outcomes(
    path: Path,
    dataset: StudyDataset,
    ranks: Mapping[str, Ranking],
    beside: Mapping[str, Mapping[str, Ranking]],
) -> None:
    """Write ``outcomes.csv``: study, its patient by a number, its rank, and its rank by each null.

    Args:
        path: The file.
        dataset: The studies that were ranked.
        ranks: By the model, both ways.
        beside: By each null, both ways.
    """
    if not is_main():
        return
    columns = {"rank": ranks[DIRECTION].best} | {
        f"rank.{name}": found[DIRECTION].best for name, found in beside.items()
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("study_id", "patient", *columns))
    patients = dataset.patient_groups.tolist()
    for row in zip(
        dataset.studies.ids, patients, *(c.tolist() for c in columns.values()), strict=True
    ):
        writer.writerow(row)
    write_whole(path, text.getvalue())
