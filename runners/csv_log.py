"""The record of a run as a table, for spreadsheets: written whole, so that no column can shift."""

from pathlib import Path

from cinelex.core.csv_text import csv_of
from cinelex.core.files import write_whole
from cinelex.runners.record import read_rows


def write_csv_log(record: Path) -> Path:
    """Write ``metrics.csv`` beside ``metrics.jsonl`` and return it: a row a record.

    The header is the union of all fields in order of their first appearance; a record without a
    field leaves its cell empty. Whatever a later step measures for the first time gets a column of
    its own, and no earlier row moves.

    Args:
        record: The run's ``metrics.jsonl``, which stays the truth.
    """
    path = record.with_suffix(".csv")
    write_whole(path, csv_of(read_rows(record)))
    return path
