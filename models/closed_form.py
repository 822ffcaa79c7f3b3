"""Ridge regression beside a trained tower: a linear map that is solved, and never trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.embedding import unit_rows
from cinelex.models.packing import pad_rows
from cinelex.models.shapes import ClipFeatures, Clips, Memory, MemoryMask, Studies

MAX_FRAMES = 4
"""Frames of a clip, evenly spaced averages, that are kept."""
MAX_NUMBERS = 65_536
"""Numbers of a study's pixels, which are averaged down to it."""
SIDES = (64, 32, 16)
FIRST_SHARE = 0.5
"""Of a closed form whose share is chosen, before anything was validated."""


class Solution(NamedTuple):
    """A linear map and what is added to its products."""

    weight: Float[Tensor, "input dim"]
    offset: Float[Tensor, " dim"]


class ClosedForm(nn.Module):
    """Add what ridge regression says of a study to what the trained towers say, at evaluation.

    Both are unit rows, and so is their weighted sum. In training the towers stand alone: the closed
    form has seen every training pair, and would leave them nothing to learn. Before `set` it is
    silent.
    """

    weight: Tensor
    """0 until it is set."""
    offset: Tensor
    share: Tensor
    """What it counts against the towers."""

    def __init__(
        self, *, dim: int, share: float | None, trunk: int = 0, clips: int = 0, pixels: int = 0
    ) -> None:
        """Make room for the solution.

        Args:
            dim: Dimension of the space that studies and reports share.
            share: What it counts, in (0, 1]; 1 leaves nothing of the trained towers; None leaves it
                to who validates, and is half until then.
            trunk: Dimension of what the video encoder's trunk makes of a clip; 0 does not ask it.
            clips: Clips of a study whose pixels are seen, the first ones; 0 sees none.
            pixels: How many numbers these are; see `pixel_count`.
        """
        super().__init__()
        self.trunk, self.clips, self.chosen = trunk, clips, share is None
        start = torch.tensor(FIRST_SHARE if share is None else share)
        self.register_buffer("share", start, persistent=share is None)
        self.register_buffer("weight", torch.zeros(trunk + pixels, dim))
        self.register_buffer("offset", torch.zeros(dim))

    @property
    def solved(self) -> bool:
        """Return whether it has been set. Waits for the device."""
        return bool(self.weight.any())

    @torch.no_grad()
    def set(self, weight: Float[Tensor, "input dim"], offset: Float[Tensor, " dim"]) -> None:
        """Take a solution."""
        self.weight.copy_(weight)
        self.offset.copy_(offset)

    @contextmanager
    def solved_as(self, other: Solution | None) -> Iterator[None]:
        """Have another solution for a while; None leaves its own."""
        own = Solution(self.weight.clone(), self.offset.clone())
        self.set(*(other or own))
        try:
            yield
        finally:
            self.set(*own)

    @contextmanager
    def counting(self, share: float) -> Iterator[None]:
        """Count another share for a while."""
        own = self.share.clone()
        self.share.fill_(share)
        try:
            yield
        finally:
            self.share.copy_(own)

    def inputs_of(
        self,
        clips: Clips,
        owner: Int[Tensor, " clip"],
        features: ClipFeatures | None,
        *,
        studies: int,
        max_clips: int | None,
    ) -> Float[Tensor, "study input"]:
        """Return what it is a map of.

        Args:
            clips: Standardised pixels of all studies.
            owner: The study that each clip belongs to.
            features: What the trunk makes of them; None where it is not asked.
            studies: Number of studies.
            max_clips: As of `pad_rows`.
        """
        parts = []
        if self.trunk:
            assert features is not None
            rows = features.float().flatten(1, -2).mean(1)
            total = rows.new_zeros(studies, rows.shape[1]).index_add(0, owner, rows)
            clips_of = rows.new_zeros(studies).index_add(0, owner, torch.ones_like(rows[:, 0]))
            parts.append(total / clips_of.clamp(min=1)[:, None])
        if self.clips:
            parts.append(
                pixel_rows(clips, owner, studies=studies, count=self.clips, max_clips=max_clips)
            )
        return torch.cat(parts, dim=1)

    def scale_of(self, inputs: Float[np.ndarray, "row input"]) -> Float[np.ndarray, " input"]:
        """Return what each input is divided by before the map is solved.

        Features and pixels then have the same variance in all, so that the penalty leaves room for
        both however many numbers each has; one of them alone stays as it is.
        """
        scale = np.ones(inputs.shape[1], dtype=inputs.dtype)
        if self.trunk and self.clips:
            for part in (slice(None, self.trunk), slice(self.trunk, None)):
                scale[part] = max(inputs[:, part].var(axis=0).sum() ** 0.5, 1e-12)
        return scale

    def forward(self, own: Studies, inputs: Float[Tensor, "study input"]) -> Studies:
        """Return unit rows of both.

        Args:
            own: Unit rows of the trained towers.
            inputs: What it is a map of.
        """
        found = unit_rows(inputs.float() @ self.weight + self.offset)
        return both(own, found, self.share)


def both(own: Studies, found: Studies, share: float | Tensor) -> Studies:
    """Return the unit rows of a weighted sum of unit rows; ``share`` is that of the second."""
    return unit_rows((1 - share) * own + share * found)


def mean_tokens(tokens: Memory, attention_mask: MemoryMask) -> Float[Tensor, "study number"]:
    """Return the mean of each study's tokens that are not padding."""
    mask = attention_mask[..., None]
    return (tokens.float() * mask).sum(1) / mask.sum(1).clamp(min=1)


def pixel_rows(
    clips: Clips,
    owner: Int[Tensor, " clip"],
    *,
    studies: int,
    count: int,
    max_clips: int | None = None,
) -> Float[Tensor, "study number"]:
    """Return the first clips of each study side by side, averaged down, in [0, 1].

    Args:
        clips: Standardised pixels.
        owner: The study that each clip belongs to.
        studies: Number of studies.
        count: How many clips; 0 stands for one that a study lacks.
        max_clips: As of `pad_rows`.
    """
    _, channels, frames, rows, columns = clips.shape
    moments, side = _grid(channels, frames, count)
    small = F.adaptive_avg_pool3d(
        clips * PIXEL_STD + PIXEL_MEAN, (moments, min(side, rows), min(side, columns))
    )
    beside, _ = pad_rows(small.flatten(1), owner, studies=studies, max_clips=max_clips)
    beside = beside[:, :count]
    return F.pad(beside, (0, 0, 0, count - beside.shape[1])).flatten(1)


def pixel_count(*, channels: int, frames: int, size: int, count: int) -> int:
    """Return how many numbers `pixel_rows` makes of a study."""
    moments, side = _grid(channels, frames, count)
    return count * channels * moments * min(side, size) ** 2


def _grid(channels: int, frames: int, count: int) -> tuple[int, int]:
    """Return the frames and the side that clips are averaged down to."""
    moments = min(frames, MAX_FRAMES)
    fitting = [side for side in SIDES if count * side**2 * moments * channels <= MAX_NUMBERS]
    return moments, (*fitting, SIDES[-1])[0]
