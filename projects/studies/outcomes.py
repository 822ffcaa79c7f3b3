"""A row a held-out study with the rank of its own report, for paired tests of runs and nulls."""

from collections.abc import Mapping
from pathlib import Path

from cinelex.core.csv_text import csv_text
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
    patients = dataset.patient_groups.tolist()
    found = (column.tolist() for column in columns.values())
    rows = zip(dataset.studies.ids, patients, *found, strict=True)
    write_whole(path, csv_text([("study_id", "patient", *columns), *rows]))
