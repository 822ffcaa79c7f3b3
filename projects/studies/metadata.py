"""What is known of a sample without looking: what a machine or an archive may give away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.data.batch import Batch
from cinelex.data.video.transforms import to_float
from cinelex.data.video.videos import StoredVideos

BINS = 8
"""Equal parts of the training samples that a number is also told by, as not all is linear."""
MAX_CATEGORIES = 50
"""Values of a column that get a number, the most frequent ones."""


@dataclass(frozen=True)
class Metadata:
    """What is known of the samples of one split, a value each."""

    numbers: Mapping[str, Float[np.ndarray, " sample"]]
    """NaN where unknown."""
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Columns of the manifest."""

    def take(self, indices: Sequence[int]) -> "Metadata":
        """Return those of some samples."""
        return Metadata(
            {name: values[list(indices)] for name, values in self.numbers.items()},
            {name: [values[i] for i in indices] for name, values in self.categories.items()},
        )

    def beside(self, numbers: Mapping[str, Float[np.ndarray, " sample"]]) -> "Metadata":
        """Return it with further numbers."""
        return Metadata({**self.numbers, **numbers}, self.categories)


def metadata_of(
    store: StoredVideos,
    videos: Sequence[Sequence[Path]],
    order: Sequence[int],
    categories: Mapping[str, Sequence[str]],
) -> Metadata:
    """Return what is known of samples from their files and the manifest.

    Args:
        store: Where the frames of their videos are.
        videos: Of each sample.
        order: The place of each in the manifest, or among the files.
        categories: Columns of the manifest.
    """
    rows = [[_of_video(store, video) for video in some] for some in videos]
    means = np.array([np.nanmean(np.array(some), axis=0) for some in _with_known(rows)])
    numbers = dict(zip(("frames", "ms_per_frame", "log_bytes"), means.T, strict=True))
    numbers |= {
        "videos": np.array([len(some) for some in videos], np.float64),
        "order": np.array(order, np.float64),
    }
    return Metadata(numbers, categories)


def brightness(batch: Batch) -> Float[Tensor, "study two"]:
    """Return mean and standard deviation of the pixels of each study."""
    each = to_float(batch.clips).flatten(1)
    sums = torch.zeros(batch.studies, 2, device=each.device)
    sums.index_add_(0, batch.owner, torch.stack([each.mean(1), each.std(1)], dim=1))
    counts = torch.tensor(batch.clip_counts, device=each.device)
    return sums / counts[:, None]


def metadata_rows(known: Metadata) -> Callable[[Metadata], Float[np.ndarray, "sample number"]]:
    """Return what makes rows of numbers of samples, by what the training samples hold.

    A number stands as its z-score and as the part of the training samples that it falls into; a
    category as an indicator of each value.
    """
    parts: list[Callable[[Metadata], Float[np.ndarray, "sample number"]]] = []
    parts += [_numbers(name, values) for name, values in known.numbers.items()]
    parts += [_indicators(name, values) for name, values in known.categories.items()]
    return lambda samples: np.concatenate([part(samples) for part in parts], axis=1)


def _numbers(
    name: str, known: Float[np.ndarray, " sample"]
) -> Callable[[Metadata], Float[np.ndarray, "sample number"]]:
    there = known[np.isfinite(known)]
    mean, spread = (float(there.mean()), float(there.std())) if len(there) else (0.0, 0.0)
    parts = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(there, parts)) if len(there) else np.zeros(0)

    def rows(samples: Metadata) -> Float[np.ndarray, "sample number"]:
        values = samples.numbers[name]
        score = np.nan_to_num((values - mean) / spread) if spread else np.zeros(len(values))
        part = np.where(np.isfinite(values), np.searchsorted(edges, values, "right"), -1)
        told = part[:, None] == np.arange(len(edges) + 1)
        return np.concatenate([score.clip(-5, 5)[:, None], told], axis=1)

    return rows


def _indicators(
    name: str, known: Sequence[str]
) -> Callable[[Metadata], Float[np.ndarray, "sample number"]]:
    values, counts = np.unique(np.array(known, dtype=str), return_counts=True)
    kept = values[np.argsort(-counts, kind="stable")][:MAX_CATEGORIES]
    return lambda samples: (
        np.array(samples.categories[name], dtype=str)[:, None] == kept[None]
    ).astype(np.float64)


def _of_video(store: StoredVideos, video: Path) -> list[float]:
    row = store.row(video)
    stored, times = store.store.stored(row), store.store.times_at(row)
    pace = float(np.median(np.diff(times))) if times is not None and len(times) > 1 else np.nan
    size = float(np.log(max(1, video.stat().st_size))) if video.is_file() else np.nan
    return [float(stored.total_frames), pace, size]


def _with_known(rows: Sequence[Sequence[Sequence[float]]]) -> list[np.ndarray]:
    """Put 0 where no video of any sample has a value, so that a mean of nothing is not asked."""
    tables = [np.array(some, np.float64) for some in rows]
    return [np.where(np.isfinite(t).any(axis=0), t, 0.0) for t in tables]
