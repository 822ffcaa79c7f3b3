"""Held-out studies to look at: those whose own report came first, and those where it came last."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.distributed import is_main
from cinelex.core.files import hash_json, write_whole
from cinelex.data.studies.dataset import StudyDataset
from cinelex.projects.studies.encoding import EncodedSplit, first_indices
from cinelex.projects.studies.loops import moving_picture

NEAREST = 3
"""Reports that are kept of each study's ranking."""


def keep_examples(
    folder: Path,
    dataset: StudyDataset,
    encoded: EncodedSplit,
    ranks: Sequence[int],
    *,
    count: int,
) -> None:
    """Write ``retrieval.jsonl``, a row a study, and pictures of the best and the worst.

    Patients are kept as hashes, by which runs are paired.

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
            "patient": hash_json(study.patient_id)[:16],
            "split": study.split,
            "report": study.report,
            **({"subgroups": dict(study.extra)} if study.extra else {}),
            "nearest": _nearest(dataset, encoded, index, first),
        }
        if index in pictured:
            row["frames"] = f"frames/{index:05d}.webp"
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
    """Write the study's clips as one small moving picture."""
    clips: UInt8[np.ndarray, "clip frame row column channel"]
    clips = dataset.of_pixels().sample(index, epoch=None).clips.numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, moving_picture(clips))
