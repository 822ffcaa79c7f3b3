"""Stage 1: what every file is, by its content; headers only."""

import json
import os
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Any

import pandas as pd

from cinelex.core.progress import awaited, progress
from cinelex.data.prepare.places import Places
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.prepare.walk import Found, Share, walk
from cinelex.data.prepare.worker_pool import Answer, Item, WorkerPool

FILES_A_BATCH = 256
GONE = "gone"
"""Reason of a folder that could not be listed, and now can: it is no file."""
MAY_PASS = ("unreadable", GONE)
"""Reasons that may be gone another day."""
FAILURES = ("deadline", "died")
"""Reasons that are tried again where somebody asks for it."""

Row = dict[str, Any]


def take_inventory(
    places: Places,
    root: Path,
    number: int,
    share: Share,
    settings: PrepareSettings,
    pool: WorkerPool,
) -> int:
    """Look at every file of a share that is new, or that has changed since.

    Args:
        places: The data set.
        root: The folder of the export.
        number: What the data set calls it.
        share: Which files.
        settings: The deadline.
        pool: Who looks.

    Returns:
        How many files were looked at.
    """
    rows = places.files.read()
    known = _known(rows, number, retry=settings.retry)
    closed = _closed(rows, number)
    new = []
    listed = awaited(walk(root), what="a folder of the export, or its disk, has not answered")
    for found in progress(listed, total=None, what="files listed"):
        closed.discard(found.path)
        if found.path in share and known.get(os.fsencode(found.path)) != _stamp(found):
            new.append(found)
    opened = [asdict(Found(path, -1, 0)) for path in sorted(closed) if path in share]
    if opened:
        places.files.append(_row(item, number, GONE) for item in opened)
    refused = [found for found in new if found.refusal]
    if refused:
        places.files.append(_row(asdict(found), number, found.refusal) for found in refused)
    items = [asdict(found) for found in new if not found.refusal]
    batches = [items[at : at + FILES_A_BATCH] for at in range(0, len(items), FILES_A_BATCH)]
    answers = pool.carry_out(
        "inspect", batches, deadline_s=settings.inspect_s, common={"root": str(root)}
    )
    answered = progress(
        answers, total=len(items), what="headers read", size=lambda part: len(part[0])
    )
    for batch, about in answered:
        places.files.append(map(_answered, batch, repeat(number), about))
    return len(new)


def _answered(item: Item, number: int, answer: Answer) -> Row:
    if "record" not in answer:
        return _row(item, number, answer.get("failure", "unreadable"))
    record = answer["record"]
    row = _row(item, number, record["reason"])
    return row | {
        "kind": record["kind"],
        "modality": record["modality"],
        "instance": record["identity"].get("instance_uid") or "",
        "record": json.dumps(record),
    }


def _row(item: Item, number: int, reason: str) -> Row:
    return {
        "root": number,
        "path": os.fsencode(item["path"]),
        "size": item["size"],
        "mtime_ns": item["mtime_ns"],
        "kind": "refused",
        "reason": reason,
        "modality": "",
        "instance": "",
        "record": "",
    }


def _stamp(found: Found) -> tuple[int, int]:
    return found.size, found.mtime_ns


def _closed(rows: pd.DataFrame, number: int) -> set[str]:
    """Return what could not even be listed."""
    rows = rows[(rows["root"] == number) & (rows["reason"] == "unreadable") & (rows["size"] < 0)]
    return {os.fsdecode(path) for path in rows["path"]}


def _known(rows: pd.DataFrame, number: int, *, retry: bool) -> dict[bytes, tuple[int, int]]:
    """Return size and time of the files that need no further look."""
    again = (*MAY_PASS, *FAILURES) if retry else MAY_PASS
    rows = rows[(rows["root"] == number) & ~rows["reason"].isin(again)]
    stamps = zip(rows["size"].tolist(), rows["mtime_ns"].tolist(), strict=True)
    return dict(zip(rows["path"].tolist(), stamps, strict=True))
