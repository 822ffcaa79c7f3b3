"""What became of every file, study and report of a data set: counts in fixed words alone."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from cinelex.data.dicom.errors import REASONS as FILE_REASONS
from cinelex.data.prepare.decide import KEPT, PENDING, REASONS
from cinelex.data.prepare.joining import AMBIGUOUS, EMPTY, UNKNOWN

WAITS = REASONS["mask_uncertain"]
_LEFT = {
    UNKNOWN: "left out: of no study with a cine",
    AMBIGUOUS: "left out: it may be that of several studies",
    EMPTY: "left out: no text",
}


def flow_of(out: Path) -> list[dict[str, Any]]:
    """Return rows of "of", "became" and "count": files, reports, and studies that are left out.

    Files and reports are counted once each. No cell quotes what stands in a file, so that the rows
    may leave the site.
    """
    ledger = pq.read_table(out / "ledger.parquet")
    told = ledger.select(["decision", "why", "study_id"]).to_pandas()
    found = [*_files(told), *_reports(ledger.schema.metadata), *_studies(told)]
    return [{"of": of, "became": became, "count": count} for of, became, count in found if count]


def _files(told: pd.DataFrame) -> list[tuple[str, str, int]]:
    counts = sorted(Counter(told["why"]).items(), key=lambda item: (-item[1], item[0]))
    said = {"": "kept: a cine", **REASONS, **FILE_REASONS}
    return [("files", said[why], count) for why, count in counts]


def _studies(told: pd.DataFrame) -> list[tuple[str, str, int]]:
    decisions = told.groupby("study_id")["decision"].agg(set)
    kept = decisions.map(lambda own: KEPT in own)
    waits = decisions.map(lambda own: PENDING in own) & ~kept
    return [
        ("studies", "left out: without a cine", int((~kept & ~waits).sum())),
        ("studies", "left out: their cines wait for a person", int(waits.sum())),
    ]


def _reports(metadata: dict[bytes, bytes]) -> list[tuple[str, str, int]]:
    counts: dict[str, int] = json.loads(metadata[b"summary"])["reports"]
    left = [("reports", said, counts.get(why, 0)) for why, said in _LEFT.items()]
    joined = counts.get("lines", 0) - sum(count for _, _, count in left)
    return [("reports", "joined with a study", joined), *left]
