"""What the doctor wants to know of any project's samples before the first step: numbers only."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8

from cinelex.core.progress import progress
from cinelex.data.loader import Samples, train_batches
from cinelex.data.sampler import StudySampler
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.sampling import Sampling, length_ms
from cinelex.data.video.videos import StoredVideos
from cinelex.metrics.failure_nulls import same_report_in_batch

MAX_VIDEOS = 1000
"""Videos whose pixels are looked at."""
BATCHES = 8
"""Training batches whose padding is counted."""
THUMBNAIL = 8
"""Rows and columns of the pictures by which videos are compared."""
BEAT_S = 0.6
"""A heart at 100 a minute beats once in it; a clip that spans less shows no whole beat."""
SAME_PICTURE = 0.5
"""Mean difference, in gray levels of 255, below which two thumbnails show the same."""


def report_diagnostics(groups: Int64[np.ndarray, " study"], *, batch: int) -> dict[str, Any]:
    """Return how many training samples share a report, and how many of a batch do, on average.

    Args:
        groups: A number for each training sample, the same for the same report.
        batch: Samples of the global batch.
    """
    copies = list(Counter(groups.tolist()).values())
    return {
        "data/studies": len(groups),
        "data/duplicate_reports": sum(n for n in copies if n > 1) / len(groups),
        "data/same_report_in_batch": same_report_in_batch(copies, batch=min(batch, len(groups))),
    }


def leaked_videos(
    store: StoredVideos, train: Iterable[Path], held_out: Iterable[Sequence[Path]]
) -> dict[str, Any]:
    """Return how many held-out samples have a video, by its bytes, of a training sample.

    Args:
        store: Where the videos are.
        train: All training videos.
        held_out: The videos of each held-out sample.
    """
    hashes = {store.entry(video).content for video in train}
    shared = [any(store.entry(v).content in hashes for v in videos) for videos in held_out]
    return {
        "data/held_out_studies": len(shared),
        "data/held_out_with_training_videos": sum(shared),
    }


def video_diagnostics(
    store: StoredVideos, owned: Sequence[tuple[int, Path]], *, sampling: Sampling
) -> dict[str, Any]:
    """Return the shares of training videos that show nothing, repeat, are short, or were refused.

    Pixels of up to ``MAX_VIDEOS`` videos, evenly spaced, are looked at.

    Args:
        store: Where the videos are.
        owned: Each training video behind the number of its sample.
        sampling: How clips are cut.
    """
    chosen = owned[:: max(1, -(-len(owned) // MAX_VIDEOS))]
    looked_at = progress(chosen, total=len(chosen), what="videos looked at")
    clips = [store.frames(video) for _, video in looked_at]
    timed = [(store.entry(video).total_frames, store.times_ms(video)) for _, video in chosen]
    repeats = [sampling.repeats(total, times) for total, times in timed]
    lengths = [times for _, times in timed if times is not None]
    beatless = [
        sampling.span_s(times) < BEAT_S <= length_ms(np.asarray(times)) / 1000 for times in lengths
    ]
    paces = [float(np.median(np.diff(times))) for times in lengths if len(times) > 1]
    constant = np.array([bool((clip == clip.flat[0]).all()) for clip in clips])
    owners = np.array([owner for owner, _ in chosen])
    thumbnails = np.stack([thumbnail(clip) for clip in clips])
    return {
        "data/videos": len(owned),
        "data/constant_videos": float(constant.mean()),
        "data/repeated_videos": repeated_share(thumbnails[~constant], owners[~constant]),
        "data/short_videos": share(repeats),
        **({"data/beatless_clips": share(beatless)} if beatless else {}),
        "data/repeated_frames": repeated_frames(
            [clip for clip, still in zip(clips, constant, strict=True) if not still]
        ),
        **({"data/frame_rate_spread": spread_of(paces)} if sampling.seconds is None else {}),
        "data/refused_videos": store.refused / len(store),
    }


def repeated_frames(clips: Iterable[UInt8[np.ndarray, "frame row column channel"]]) -> float:
    """Return the share of stored frames, behind the first of a video, that copy the one before."""
    copies = [bool((a == b).all()) for clip in clips for a, b in pairwise(clip)]
    return float(np.mean(copies)) if copies else 0.0


def spread_of(paces: Sequence[float]) -> float:
    """Return how many times as long a frame stands in slow videos as in fast ones.

    The 95th over the 5th percentile of the videos; 1 where all are filmed alike, or nobody knows.
    """
    known = [pace for pace in paces if pace > 0]
    if len(known) < 2:
        return 1.0
    fast, slow = np.quantile(known, (0.05, 0.95))
    return float(slow / fast)


def repeated_share(
    thumbnails: Float[np.ndarray, "video pixel"], owners: Int64[np.ndarray, " video"]
) -> float:
    """Return the share of videos that look like a video of another sample.

    Args:
        thumbnails: Small pictures of the videos, in gray levels of 255.
        owners: The sample that each belongs to.
    """
    if len(thumbnails) < 2:
        return 0.0
    repeated: Bool[np.ndarray, " video"] = np.zeros(len(thumbnails), dtype=bool)
    for index, picture in enumerate(thumbnails):
        near = np.abs(thumbnails - picture).mean(axis=1) < SAME_PICTURE
        repeated[index] = bool((near & (owners != owners[index])).any())
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


def text_diagnostics(
    dataset: Samples, sampler: StudySampler, reports: Sequence[str], tokenizer: Tokenizer
) -> dict[str, Any]:
    """Return how much of the token tables is padding, and what tokens make of long or numeric text.

    ``data/tokens_a_percentage`` is the mean over the percentages that the reports hold.

    Args:
        dataset: The training samples.
        sampler: Their order.
        reports: Everything that may be read of them.
        tokenizer: What reads it.
    """
    batches = train_batches(dataset, sampler, start_step=0, workers=0)
    tables = [batch.token_ids for batch in islice(batches, BATCHES)]
    pads = sum(int((table == tokenizer.pad_id).sum()) for table in tables)
    diagnostics: dict[str, Any] = {
        "data/pad_share": pads / sum(table.numel() for table in tables),
        "data/reports_cut": share(
            tokenizer.length(text) > tokenizer.max_tokens
            for text in progress(reports, total=len(reports), what="reports looked at")
        ),
    }
    spelled = sorted({text for report in reports for text in _percentages(report)})
    if spelled:
        begin_and_end = tokenizer.length("")
        tokens = [tokenizer.length(text) - begin_and_end for text in spelled]
        diagnostics["data/tokens_a_percentage"] = float(np.mean(tokens))
    return diagnostics


def order_diagnostics(sampler: StudySampler, *, samples: int) -> dict[str, Any]:
    """Return the share of positions at which two epochs show the same sample, and chance's reach.

    Two independent orders agree at about Poisson(positions/samples) positions, which of a few dozen
    samples can be a large share; one set in 10,000 has more than ``data/order_repeats/chance``.
    """
    from scipy.stats import poisson  # here, because it takes a second

    steps = min(sampler.steps_per_epoch, 50)
    first = [study for step in range(steps) for study in sampler.batch_at(step)[1]]
    later = [
        study
        for step in range(steps)
        for study in sampler.batch_at(step + sampler.steps_per_epoch)[1]
    ]
    reach = float(poisson.ppf(0.9999, len(first) / samples))
    return {
        "data/order_repeats": share(a == b for a, b in zip(first, later, strict=True)),
        "data/order_repeats/chance": reach / len(first),
    }


def share(values: Iterable[bool]) -> float:
    """Return the share of True."""
    return float(np.mean(list(values)))


def _percentages(report: str) -> list[str]:
    return re.findall(r"\d+ ?%", report)
