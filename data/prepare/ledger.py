"""Stages 1 to 8 as tables: what became of every file, and a row a cine that is kept."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cinelex.core.files import write_whole

LEDGER = pa.schema(
    [
        ("file", pa.string()),
        ("kind", pa.string()),
        ("decision", pa.string()),
        ("why", pa.string()),
        ("cine", pa.string()),
        ("study_id", pa.string()),
        ("patient_id", pa.string()),
        ("split", pa.string()),
        ("modality", pa.string()),
        ("transfer_syntax", pa.string()),
        ("frames", pa.int32()),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("time_source", pa.string()),
        ("time_conflict", pa.bool_()),
        ("mask_source", pa.string()),
        ("mask_confidence", pa.float32()),
        ("doppler", pa.bool_()),
        ("burned_in", pa.bool_()),
    ]
)
MANIFEST = pa.schema(
    [
        ("study_id", pa.string()),
        ("patient_id", pa.string()),
        ("video_path", pa.string()),
        ("report", pa.string()),
        ("split", pa.string()),
        ("view", pa.string()),
        ("primary_angle", pa.float32()),
        ("secondary_angle", pa.float32()),
        ("frames", pa.int32()),
        ("frame_times_ms", pa.list_(pa.float64())),
        ("time_source", pa.string()),
        ("doppler", pa.bool_()),
        ("facts", pa.string()),
        ("date", pa.string()),
        ("year", pa.int32()),
        ("age", pa.int32()),
        ("sex", pa.string()),
        ("site", pa.string()),
        ("manufacturer", pa.string()),
        ("model", pa.string()),
        ("modality", pa.string()),
        ("heart_rate", pa.float32()),
    ]
)


def write_ledger(path: Path, decided: pd.DataFrame, summary: Mapping[str, Any]) -> None:
    """Write a row a file, in the order of their keys, and a summary of each stage as metadata."""
    named = decided.rename(
        columns={"key": "cine_key", "source": "mask_source", "confidence": "mask_confidence"}
    )
    named = named.drop(columns=["cine"]).rename(columns={"cine_key": "cine"})
    _write(path, named.sort_values("file"), LEDGER, {"summary": json.dumps(summary)})


def write_manifest(path: Path, kept: pd.DataFrame) -> None:
    """Write a row a cine, the cines of a study together, in the order that they were taken in.

    What reads the cines of a study side by side then finds the first view first in every study.
    """
    cines = kept.assign(
        video_path="store:" + kept["key"].astype(str), frame_times_ms=kept["times_ms"]
    )
    _write(path, cines.sort_values(["study_id", "order", "key"]), MANIFEST, {})


def write_table(path: Path, rows: pd.DataFrame) -> None:
    """Write any table as CSV."""
    text = io.StringIO()
    rows.to_csv(text, index=False)
    write_whole(path, text.getvalue())


def _write(path: Path, rows: pd.DataFrame, schema: Any, metadata: dict[str, str]) -> None:
    columns = {field.name: _column(rows[field.name], field.type) for field in schema}
    table = pa.table(columns, schema=schema.with_metadata(metadata))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_whole(path, sink.getvalue().to_pybytes())


def _column(cells: "pd.Series[Any]", kind: Any) -> Any:
    there = cells.notna()
    whole = int if pa.types.is_integer(kind) else lambda cell: cell
    pairs = zip(cells.tolist(), there.tolist(), strict=True)
    return pa.array([whole(cell) if known else None for cell, known in pairs], kind)
