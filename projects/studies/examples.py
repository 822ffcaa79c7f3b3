"""Held-out studies to look at: those whose own report came first, and those where it came last."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.data.studies.dataset import StudyDataset
from cinelex.projects.studies.encoding import EncodedSplit, first_indices

NEAREST = 3
"""Reports that are kept of each study's ranking."""
FRAMES = 4
"""Frames that are drawn of each video."""


def keep_examples(
    folder: Path,
    dataset: StudyDataset,
    encoded: EncodedSplit,
    ranks: Sequence[int],
    *,
    count: int,
) -> None:
    """Write ``retrieval.jsonl``, a row a study, and pictures of the best and the worst.

    Args:
        folder: ``predictions/`` of the run.
        dataset: The studies that were ranked.
        encoded: Their embeddings.
        ranks: The rank of each study's own report, from 1.
        count: How many of the best, and of the worst, get a picture.
    """
    if not is_main():
        return
    # by the rank of the truth, never by the highest similarity: that would pick the confident
    order = sorted(range(len(ranks)), key=lambda index: (ranks[index], dataset.studies[index].id))
    pictured = set(order[:count] + order[-count:]) if count else set()
    first = first_indices(dataset)
    rows = []
    for index, study in enumerate(dataset.studies):
        row: dict[str, Any] = {
            "study_id": study.id,
            "rank": ranks[index],
            "split": study.split,
            "report": study.report,
            **({"subgroups": dict(study.extra)} if study.extra else {}),
            "nearest": _nearest(dataset, encoded, index, first),
        }
        if index in pictured:
            row["frames"] = f"frames/{index:05d}.png"
            _draw(folder / row["frames"], dataset, index)
        rows.append(json.dumps(row) + "\n")
    write_whole(folder / "retrieval.jsonl", "".join(rows))


def _nearest(
    dataset: StudyDataset, encoded: EncodedSplit, index: int, example_of: Sequence[int]
) -> list[dict[str, Any]]:
    scores = encoded.report @ encoded.study[index]
    best = scores.topk(min(NEAREST, len(scores)))
    return [
        {
            "report": dataset.studies[example_of[report]].report,
            "study_id": dataset.studies[example_of[report]].id,
            "score": score,
        }
        for score, report in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def _draw(path: Path, dataset: StudyDataset, index: int) -> None:
    """Draw a few frames of each of the study's videos, a line a video."""
    from matplotlib.image import imsave  # here, because it takes a second

    clips: UInt8[np.ndarray, "clip frame row column channel"]
    clips = dataset.of_pixels().sample(index, epoch=None).clips.numpy()
    chosen = np.linspace(0, clips.shape[1] - 1, min(FRAMES, clips.shape[1])).round().astype(int)
    lines = [np.concatenate(list(clip[chosen]), axis=1) for clip in clips]
    image = np.concatenate(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, image if image.shape[2] == 3 else image[:, :, 0], cmap="gray")
