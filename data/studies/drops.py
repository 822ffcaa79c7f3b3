"""Studies without the videos that could not be decoded."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.data.studies.study import Study
from cinelex.data.video.decode import MAY_PASS
from cinelex.data.video.store import FrameStore


@dataclass(frozen=True)
class Decoded:
    """The studies that are left, and what was lost."""

    studies: list[Study]
    rejects: list[tuple[str, str, str]]
    """Study id, video below the root, and the name of the error."""
    videos: int
    """Videos of all studies, bad ones too."""
    studies_dropped: int
    """Studies of which no video is left."""


def decoded(studies: Sequence[Study], store: FrameStore) -> Decoded:
    """Drop the videos that the store refused, and the studies left without any."""
    kept = []
    rejects = []
    for study in studies:
        good = tuple(video for video in study.videos if video in store)
        for video in study.videos:
            if video not in store:
                rejects.append((study.id, store.name(video), store.entry(video).error))
        if good:
            kept.append(replace(study, videos=good))
    videos = sum(len(study.videos) for study in studies)
    return Decoded(kept, rejects, videos, len(studies) - len(kept))


def check_rejects(found: Decoded, *, limit: float, path: Path, store: Path) -> None:
    """Write the rejects as CSV (study_id, video, error), and stop where they are too many.

    Args:
        found: What ``decoded`` returned.
        limit: Largest share of the videos that may be lost, in [0, 1].
        path: Usually ``rejects.csv`` in the run's folder.
        store: The folder of the store that refused them.

    Raises:
        UserError: More than ``limit`` of the videos were refused.
    """
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(("study_id", "video", "error"))
    writer.writerows(found.rejects)
    write_whole(path, table.getvalue())
    lost = len(found.rejects)
    if lost > limit * found.videos:
        kinds: dict[str, int] = {}
        for _, _, error in found.rejects:
            kinds[error] = kinds.get(error, 0) + 1
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        again = (
            f"; delete {store} to try again what may have passed" if kinds.keys() & MAY_PASS else ""
        )
        raise UserError(
            f"{lost} of {found.videos} videos were refused ({summary}), more than the limit of "
            f"{limit:.1%}; see {path}, mend or remove them, or raise the reject limit{again}"
        )
