"""What is known of a study without looking into its videos, and what pixels alone say."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from cinelex.data.studies.dataset import StudyDataset

MAX_LEVELS = 20
"""Different cells of a column up to which each is a number of its own."""


def metadata_rows(
    dataset: StudyDataset, levels: Mapping[str, Sequence[str]]
) -> Float[np.ndarray, "study number"]:
    """Return what the machine says of each study: nothing of what the videos show.

    Number of videos, their frames and their time from frame to frame, the place in the file, which
    views there are, and the cells of ``levels``.

    Args:
        dataset: The studies.
        levels: By further column, the cells that get a number each; see `levels_of`.
    """
    extra = dataset.studies.extra()
    rows = []
    for place, study in enumerate(dataset.studies):
        entries = [dataset.store.entry(video) for video in study.videos]
        frames = np.array([entry.total_frames for entry in entries], float)
        times = [dataset.store.times_ms(video) for video in study.videos]
        steps = [float(np.median(np.diff(t))) for t in times if t is not None and len(t) > 1]
        cells = [float(extra[name][place] == cell) for name in levels for cell in levels[name]]
        views = [float(study.views.count(view)) for view in dataset.views]
        rows.append(
            [
                *(len(entries), frames.mean(), frames.max(), frames.min()),
                *(float(np.mean(steps)) if steps else 0.0, float(bool(steps))),
                *(place / max(1, len(dataset) - 1), *views, *cells),
            ]
        )
    return np.array(rows, float)


def levels_of(train: StudyDataset, but: Sequence[str]) -> dict[str, list[str]]:
    """Return the cells of each further column that has few different ones.

    Args:
        train: The training studies.
        but: Columns that are targets, and so no metadata.
    """
    known = {name: sorted(set(cells)) for name, cells in train.studies.extra().items()}
    return {n: cells for n, cells in known.items() if n not in but and len(cells) <= MAX_LEVELS}
