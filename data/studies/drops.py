"""Studies without the videos that could not be decoded."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.data.studies.studies import Studies
from cinelex.data.video.decode import MAY_PASS
from cinelex.data.video.videos import StoredVideos

Reject = tuple[str, str, str]
"""Id of the study, video below the root, and the name of the error."""


@dataclass(frozen=True)
class Decoded:
    """The studies that are left, and what was lost."""

    studies: Studies
    store: StoredVideos
    """Their frames."""
    rejects: list[Reject]
    videos: int
    """Videos of all studies, bad ones too."""


def decoded(studies: Studies, store: StoredVideos) -> Decoded:
    """Drop the videos that the store refused, and the studies left without any."""
    pa.default_memory_pool().release_unused()  # of an ingest; what comes next is much as well
    kept = store.holds(studies.video_names)
    lost = pa.array(np.flatnonzero(~kept))
    owners = studies.table["id"].take(pa.array(studies.video_owner[~kept]))
    paths = studies.paths(studies.video_names.take(lost))
    rejects = rejected(zip(owners.to_pylist(), paths, strict=True), store)
    return Decoded(studies.with_videos(kept), store, rejects, len(kept))


def rejected(videos: Iterable[tuple[str, Path]], store: StoredVideos) -> list[Reject]:
    """Return what the store refused of videos, each with the id of its study."""
    return [
        (study, store.name(video), store.entry(video).error)
        for study, video in videos
        if video not in store
    ]


def check_rejects(
    rejects: Sequence[Reject],
    *,
    videos: int,
    limit: float,
    path: Path,
    store: str,
    hint: str = "",
) -> None:
    """Write the rejects as CSV (study_id, video, error), and stop where they are too many.

    Args:
        rejects: What the store refused.
        videos: Of how many.
        limit: Largest share of the videos that may be lost, in [0, 1].
        path: Usually ``rejects.csv`` in the run's folder.
        store: The folder of the store that refused them.
        hint: What else may help, in a few words.

    Raises:
        UserError: More than ``limit`` of the videos were refused.
    """
    table = io.StringIO()
    csv.writer(table).writerows([("study_id", "video", "error"), *rejects])
    write_whole(path, table.getvalue())
    lost = len(rejects)
    if lost > limit * videos:
        kinds = Counter(error for _, _, error in rejects)
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        retry = f"; to try again what may have passed: bash scripts/cache.sh retry {store}"
        raise UserError(
            f"{lost} of {videos} videos were refused ({summary}), more than the limit of "
            f"{limit:.1%}; see {path}, mend or remove them, or raise data.reject_limit"
            + (hint and f"; {hint}")
            + (retry if kinds.keys() & MAY_PASS else "")
        )
