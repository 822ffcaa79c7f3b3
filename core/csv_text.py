"""Rows and records as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV, a line each."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def csv_of(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV, behind a header of all their fields in order of first appearance.

    A record without a field leaves its cell empty.
    """
    fields = list(dict.fromkeys(name for record in records for name in record))
    return csv_text([fields, *([record.get(name, "") for name in fields] for record in records)])
