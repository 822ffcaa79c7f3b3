"""The same samples with nothing, or not all, to be seen in them: whether a score needs the video.

What a model scores on blank video it knows from texts, from the number of clips, or from chance.
Frames in another order, reversed, or all like the first, are still pictures of the study: a score
that stays with them does not need the movement.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from cinelex.config.schema import EvaluationConfig
from cinelex.core.randomness import numpy_generator
from cinelex.data.batch import Sample
from cinelex.data.loader import Samples
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.studies import Studies
from cinelex.data.text.tokenizer import Tokenizer

Clips = UInt8[Tensor, "clip frame row column channel"]
OF_VIDEO = ("blank_video", "shuffled_frames", "reversed_video", "first_frame")
OF_IMAGES = ("blank_video", "other_sample", "permuted_pixels")
STILL_SEEN = ("shuffled_frames", "reversed_video", "first_frame")
"""Nulls that see the study, so that a score need not be above them."""
METADATA = "metadata"


@dataclass(frozen=True)
class Blind:
    """Samples whose clips are changed; evaluation alone reads them."""

    samples: Samples
    kind: str
    """A key of ``CHANGES``."""
    seed: int

    @property
    def tokenizer(self) -> Tokenizer:
        """Return that of the samples."""
        return self.samples.tokenizer

    def __len__(self) -> int:
        return len(self.samples)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return a sample with other clips of the same number and shape."""
        sample = self.samples.sample(index, epoch=epoch)
        return replace(sample, clips=CHANGES[self.kind](self, sample, index))

    @property
    def studies(self) -> Studies:
        """Return the studies that they are."""
        assert isinstance(self.samples, StudyDataset), "images are no studies"
        return self.samples.studies

    def of_pixels(self) -> "Blind":
        """Return itself: it has pixels only."""
        return self


def blinded(
    settings: EvaluationConfig, samples: Samples, *, frames: int, seed: int
) -> Mapping[str, Blind]:
    """Return the samples as each null that is asked for sees them, by the name of the null."""
    kinds = OF_VIDEO if frames > 1 else OF_IMAGES
    pixels = samples.of_pixels()
    return {kind: Blind(pixels, kind, seed) for kind in kinds if kind in settings.nulls}


def _blank(_: Blind, sample: Sample, __: int) -> Clips:
    return torch.zeros_like(sample.clips)


def _shuffled(blind: Blind, sample: Sample, _: int) -> Clips:
    draw = numpy_generator("shuffled frames", blind.seed, sample.study_id)
    orders = [draw.permutation(sample.clips.shape[1]) for _ in sample.clips]
    return torch.stack([clip[order] for clip, order in zip(sample.clips, orders, strict=True)])


def _reversed(_: Blind, sample: Sample, __: int) -> Clips:
    return sample.clips.flip(1)


def _first(_: Blind, sample: Sample, __: int) -> Clips:
    return sample.clips[:, :1].expand_as(sample.clips).contiguous()


def _other(blind: Blind, sample: Sample, index: int) -> Clips:
    other = blind.samples.sample((index + 1) % len(blind), epoch=None).clips
    return other[torch.arange(len(sample.clips)) % len(other)]


def _permuted(blind: Blind, sample: Sample, _: int) -> Clips:
    rows, columns = sample.clips.shape[2:4]
    order = numpy_generator("permuted pixels", blind.seed, sample.study_id).permutation(
        rows * columns
    )
    return sample.clips.flatten(2, 3)[:, :, np.asarray(order)].unflatten(2, (rows, columns))


CHANGES: Mapping[str, Callable[[Blind, Sample, int], Clips]] = {
    "blank_video": _blank,
    "shuffled_frames": _shuffled,
    "reversed_video": _reversed,
    "first_frame": _first,
    "other_sample": _other,
    "permuted_pixels": _permuted,
}
