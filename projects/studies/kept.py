"""What a data set has to offer to do without pixels or tokens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from jaxtyping import Int
from torch import Tensor

from cinelex.data.features.store import FeatureStore
from cinelex.data.video.videos import StoredVideos


@runtime_checkable
class Kept(Protocol):
    """A data set that can do without pixels or tokens."""

    store: StoredVideos
    kept_clips: FeatureStore | None
    kept_texts: FeatureStore | None
    pixels_evaluated: bool

    def cuts(self, *, training: bool) -> Iterator[tuple[Path, list[list[int]] | None]]:
        """Yield every video with the clips that may be asked for, as frames."""

    def texts(self) -> Iterator[Int[Tensor, " token"]]:
        """Yield the tokens of every text."""
