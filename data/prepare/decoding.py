"""Stages 3 to 5: every new cine decoded once, its sector found, its frames in the store."""

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool

from cinelex.core.progress import progress
from cinelex.data.prepare.child import content_of
from cinelex.data.prepare.inventory import FAILURES, MAY_PASS
from cinelex.data.prepare.known_files import Sources, known_files
from cinelex.data.prepare.places import Places
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.prepare.walk import Share
from cinelex.data.prepare.worker_pool import Answer, Batch, Item, WorkerPool
from cinelex.data.video.removal import keep_only

FORMAT = 1
"""Raised when the same file gives other stored frames: every file is then decoded again, once."""
CINES_A_BATCH = 64
BYTES_A_BATCH = 256 << 20
"""Of decoded frames; what a child that dies loses."""
FILES_A_DIGEST = 64


def decode_new(
    places: Places,
    sources: Sources,
    share: Share,
    settings: PrepareSettings,
    pool: WorkerPool,
    *,
    decisions: Mapping[str, str],
) -> int:
    """Decode the cines of a share that the store lacks, and return how many files were decoded.

    Args:
        places: The data set.
        sources: The folders of the export, and the secret that names contents.
        share: Which files.
        settings: Modalities, deadline, limit of the masks' confidence.
        pool: Who decodes.
        decisions: What a person said of masks, "approve" or "reject", by content.
    """
    _digest_twins(places, sources, share, settings, pool)
    work = _lacking(places, sources, share, settings, decisions)
    common = {
        "store": str(places.store),
        "part": f"{share}-{token_hex(3)}",
        "salt": sources.salt,
        "format": FORMAT,
        "min_confidence": settings.min_confidence,
        "approved": sorted(content for content, word in decisions.items() if word == "approve"),
    }
    answers = pool.carry_out(
        "decode", list(_batches(work)), deadline_s=settings.decode_s, common=common
    )
    answered = progress(
        answers, total=len(work), what="cines decoded", size=lambda part: len(part[0])
    )
    for batch, about in answered:
        _keep(places, sources, batch, about)
    return len(work)


def _digest_twins(
    places: Places, sources: Sources, share: Share, settings: PrepareSettings, pool: WorkerPool
) -> None:
    """Hash the cines that name the same instance, so that equal files are decoded once."""
    files = known_files(places, settings)
    cines = files[files["cine"]]
    twins = cines[cines.duplicated("instance", keep=False) & (cines["instance"] != "")]
    unknown = sources.items(twins[twins["content"].isna()], share)
    batches = [unknown[at : at + FILES_A_DIGEST] for at in range(0, len(unknown), FILES_A_DIGEST)]
    answered = pool.carry_out(
        "digest", batches, deadline_s=settings.decode_s, common={"salt": sources.salt}
    )
    for batch, answers in answered:
        places.contents.append(_contents(batch, answers))


def decoded(places: Places) -> pd.DataFrame:
    """Return a row a content that was decoded as it would be today."""
    cines = places.cines.read()
    return cines[cines["format"] == FORMAT]


def _lacking(
    places: Places,
    sources: Sources,
    share: Share,
    settings: PrepareSettings,
    decisions: Mapping[str, str],
) -> list[Item]:
    """Return the files to decode: one of each content that is not known to be done."""
    files = known_files(places, settings)
    cines = files[files["cine"]]
    done = decoded(places)
    again = (~done["stored"] & (done["reason"] == "")).to_numpy() & _certain(
        done, settings, decisions
    )
    tried_again = (*MAY_PASS, *FAILURES) if settings.retry else MAY_PASS
    again |= done["reason"].isin(tried_again).to_numpy()
    known = set(done["content"][~again])
    first = ~cines.duplicated("content") | cines["content"].isna()
    return sources.items(cines[first & ~cines["content"].isin(known)], share)


def _certain(
    cines: pd.DataFrame, settings: PrepareSettings, decisions: Mapping[str, str]
) -> Bool[np.ndarray, " cine"]:
    """Return which masks are sure enough by themselves or by a person, and rejected by none."""
    decision = cines["content"].map(dict(decisions))
    sure = (cines["confidence"] >= settings.min_confidence) | (decision == "approve")
    return (sure & (decision != "reject")).to_numpy()


def withdraw(places: Places, settings: PrepareSettings, decisions: Mapping[str, str]) -> int:
    """Remove from the store what may not be there, and return how many cines that were.

    Those are cines that a person has rejected since, whose masks are not certain enough any more,
    that another format has replaced, and frames that no journal knows. Only while nobody else
    writes.
    """
    cines = decoded(places)
    certain = _certain(cines, settings, decisions)
    # in this order, whoever is killed between the two lets the next run remove what is left
    lost = cines[cines["stored"] & ~certain]
    if len(lost):
        rows: Any = lost.assign(stored=False).to_dict("records")
        places.cines.append(rows)
    allowed = cines.loc[cines["stored"] & certain, "key"]
    return keep_only(places.store, pa.array(allowed, pa.large_string()))


def _batches(items: Sequence[Item]) -> Iterator[Batch]:
    """Cut a list where a batch would become too many cines or too many bytes."""
    batch: list[Item] = []
    size = 0
    for item in items:
        record = item["record"]
        need = record["frames"] * record["rows"] * record["columns"] * record["samples"]
        if batch and (len(batch) == CINES_A_BATCH or size + need > BYTES_A_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += need
    if batch:
        yield batch


def _keep(places: Places, sources: Sources, batch: Batch, answers: list[Answer]) -> None:
    """Write what became of a batch."""
    read = [
        answer | {"content": _content(item, sources)} if "failure" in answer else answer
        for item, answer in zip(batch, answers, strict=True)
    ]
    places.cines.append(_row(answer) for answer in read if answer.get("content"))
    places.contents.append(_contents(batch, read))


def _content(item: Item, sources: Sources) -> str:
    """Return the content of a file over which a child failed; empty where it cannot be read."""
    try:
        return content_of(Path(item["file"]), sources.salt)
    except OSError:
        return ""


def _row(answer: Mapping[str, Any]) -> dict[str, Any]:
    binary = {
        name: base64.b64decode(answer.get(name, "")) or None for name in ("likeness", "preview")
    }
    defaults = {"format": FORMAT, "stored": False, "reason": answer.get("failure", "")}
    return {**defaults, **answer, **binary}


def _contents(batch: Batch, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    return [
        {
            "root": item["root"],
            "path": os.fsencode(item["path"]),
            "size": item["size"],
            "mtime_ns": item["mtime_ns"],
            "content": answer["content"],
        }
        for item, answer in zip(batch, answers, strict=True)
        if answer.get("content")
    ]
