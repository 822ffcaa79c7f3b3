"""The clips of a sample: their pixels, or what is kept of them instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cinelex.data.features.store import FeatureStore, clip_key
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import StoredVideos


def clips_of(
    videos: StoredVideos,
    sampling: Sampling,
    chosen: Sequence[tuple[Path, float | None]],
    *,
    kept: FeatureStore | None,
    pixels: bool = False,
) -> dict[str, Any]:
    """Return ``clips`` and ``features`` of a sample.

    Args:
        videos: Where frames are.
        sampling: How clips are cut.
        chosen: The video of each clip, and where in it the clip is cut; see ``Sampling.indices``.
        kept: What a frozen tower made of them; the frames are then not read.
        pixels: Read them all the same.
    """
    clips = torch.empty(len(chosen), 0, 0, 0, 0, dtype=torch.uint8)
    if kept is None or pixels:
        frames = np.stack([videos.clip(video, sampling, draw=draw) for video, draw in chosen])
        clips = torch.from_numpy(frames)
    if kept is None:
        return {"clips": clips}
    keys = [
        clip_key(videos.digest(video), videos.indices(video, sampling, draw=draw))
        for video, draw in chosen
    ]
    return {"clips": clips, "features": kept.stack(keys)}


def distinct(cuts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return cuts of one video, as frames, each once."""
    return [list(indices) for indices in dict.fromkeys(map(tuple, cuts))]
