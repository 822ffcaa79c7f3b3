"""What the doctor wants to know of the studies of a run before the first step: numbers only."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from data.dataset import StudyDataset
from data.frames import is_short
from data.loader import train_batches
from data.sampler import StudySampler
from data.tokenizer import Tokenizer
from metrics.failure_nulls import same_report_in_batch
from projects.study_data import StudyData

MOST_VIDEOS = 1000
"""Videos whose pixels are looked at."""
BATCHES = 8
"""Training batches whose padding is counted."""
THUMBNAIL = 8
"""Rows and columns of the pictures by which videos are compared."""
SAME_PICTURE = 0.5
"""Mean difference, in gray levels of 255, below which two thumbnails show the same."""


def study_facts(data: StudyData, *, batch: int) -> dict[str, Any]:
    """Return the facts of a run's studies, reports and videos, by name.

    Args:
        data: The studies.
        batch: Studies of the global batch.
    """
    train = data.train
    held_out = [split for split in (data.validation, data.test) if split is not None]
    return {
        "data/studies": len(train),
        **report_facts(train, batch=batch),
        **split_facts(train, held_out),
        **video_facts(train),
        **caption_facts(train, data.sampler),
        "data/order_repeats": order_repeats(data.sampler),
    }


def report_facts(train: StudyDataset, *, batch: int) -> dict[str, Any]:
    """Return how many training studies share a report, and how many of a batch do, on average."""
    copies = list(Counter(train.report_groups.tolist()).values())
    return {
        "data/duplicate_reports": sum(n for n in copies if n > 1) / len(train),
        "data/same_report_in_batch": same_report_in_batch(copies, batch=batch),
    }


def split_facts(train: StudyDataset, held_out: Sequence[StudyDataset]) -> dict[str, Any]:
    """Return how many held-out studies have a patient, or a video, of a training study."""
    patients = {study.patient_id for study in train.studies}
    hashes = {_content(train, video) for study in train.studies for video in study.videos}
    tested = [(split, study) for split in held_out for study in split.studies]
    leaked = sum(study.patient_id in patients for _, study in tested)
    shared = sum(
        any(_content(split, video) in hashes for video in study.videos) for split, study in tested
    )
    return {
        "data/held_out_studies": len(tested),
        "data/held_out_of_training_patients": leaked,
        "data/held_out_with_training_videos": shared,
    }


def video_facts(train: StudyDataset) -> dict[str, Any]:
    """Return the shares of training videos that show nothing, repeat, are short, or were refused.

    Pixels of up to ``MOST_VIDEOS`` videos, evenly spaced, are looked at.
    """
    owned = [(place, video) for place, study in enumerate(train.studies) for video in study.videos]
    chosen = owned[:: max(1, -(-len(owned) // MOST_VIDEOS))]
    frames = [train.store.frames(video) for _, video in chosen]
    constant = np.array([bool((clip == clip.flat[0]).all()) for clip in frames])
    owners = np.array([place for place, _ in chosen])
    thumbnails = np.stack([thumbnail(clip) for clip in frames])
    entries = train.store.entries.values()
    return {
        "data/videos": len(owned),
        "data/single_video_studies": _share(len(study.videos) == 1 for study in train.studies),
        "data/constant_videos": float(constant.mean()),
        "data/repeated_videos": repeated_share(thumbnails[~constant], owners[~constant]),
        "data/short_videos": _share(
            is_short(train.store.entry(video).total_frames, frames=train.frames)
            for _, video in owned
        ),
        "data/refused_videos": _share(bool(entry.error) for entry in entries),
    }


def repeated_share(
    thumbnails: Float[np.ndarray, "video pixel"], owners: Float[np.ndarray, " video"] | Any
) -> float:
    """Return the share of videos that look like a video of another study.

    Args:
        thumbnails: Small pictures of the videos, in gray levels of 255.
        owners: The study that each belongs to.
    """
    if len(thumbnails) < 2:
        return 0.0
    repeated: Bool[np.ndarray, " video"] = np.zeros(len(thumbnails), dtype=bool)
    for place, picture in enumerate(thumbnails):
        near = np.abs(thumbnails - picture).mean(axis=1) < SAME_PICTURE
        repeated[place] = bool((near & (owners != owners[place])).any())
    return float(repeated.mean())


def thumbnail(
    frames: UInt8[np.ndarray, "frame row column channel"],
) -> Float[np.ndarray, " pixel"]:
    """Return the first, middle and last frame as small gray pictures, one after the other."""
    chosen = frames[[0, len(frames) // 2, -1]].mean(axis=-1, dtype=np.float32)
    rows = np.array_split(np.arange(chosen.shape[1]), THUMBNAIL)
    small = np.stack([chosen[:, part].mean(axis=1) for part in rows], axis=1)
    small = np.stack([small[:, :, part].mean(axis=2) for part in rows], axis=2)
    return small.reshape(-1)


def caption_facts(train: StudyDataset, sampler: StudySampler) -> dict[str, Any]:
    """Return how much of the word tables is padding, and what tokens make of long or numeric text.

    ``data/tokens_a_percentage`` is the mean over the percentages that the reports hold.
    """
    batches = train_batches(train, sampler, start_step=0, workers=0)
    tables = [batch.words for batch in islice(batches, BATCHES)]
    pads = sum(int((table == train.tokenizer.pad_id).sum()) for table in tables)
    counts: Mapping[str, int] = train.counts()
    facts: dict[str, Any] = {
        "data/pad_share": pads / sum(table.numel() for table in tables),
        "data/reports_cut": counts["reports_cut"] / counts["studies"],
    }
    spelled = sorted({text for study in train.studies for text in _percentages(study.report)})
    if spelled:
        facts["data/tokens_a_percentage"] = float(
            np.mean([_tokens(train.tokenizer, text) for text in spelled])
        )
    return facts


def order_repeats(sampler: StudySampler) -> float:
    """Return the share of places at which two epochs show the same study; chance is 1/studies."""
    steps = min(sampler.steps_per_epoch, 50)
    first = [study for step in range(steps) for study in sampler.batch_at(step)[1]]
    later = [
        study
        for step in range(steps)
        for study in sampler.batch_at(step + sampler.steps_per_epoch)[1]
    ]
    return _share(one == other for one, other in zip(first, later, strict=True))


def _content(split: StudyDataset, video: Any) -> str:
    return split.store.entry(video).content


def _percentages(report: str) -> list[str]:
    return re.findall(r"\d+ ?%", report)


def _tokens(tokenizer: Tokenizer, text: str) -> int:
    begin_and_end = tokenizer.length("")
    return tokenizer.length(text) - begin_and_end


def _share(values: Any) -> float:
    return float(np.mean([bool(value) for value in values]))
