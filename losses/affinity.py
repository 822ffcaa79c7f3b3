"""How alike two studies are, by something other than the similarity that is being trained."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.contrastive import similarity_matrix


@runtime_checkable
class Affinity(Protocol):
    """How alike the studies of all ranks are; symmetric, without gradient."""

    def rows(self, places: slice) -> Float[Tensor, "rows everyone"]:
        """Return the affinities of some studies with all, by their places among all."""


@dataclass(frozen=True, kw_only=True)
class MixedAffinity:
    """A = alpha cos(report, report) + (1 - alpha) cos(study, study)."""

    texts: Float[Tensor, "everyone width"]
    images: Float[Tensor, "everyone dim"] | None
    """None where the texts alone decide."""
    alpha: float

    @torch.no_grad()
    def rows(self, places: slice) -> Float[Tensor, "rows everyone"]:
        """Return the affinities of some studies with all."""
        affinity = self.alpha * similarity_matrix(self.texts[places], self.texts)
        if self.images is None:
            return affinity
        return affinity + (1 - self.alpha) * similarity_matrix(self.images[places], self.images)


@dataclass(frozen=True)
class LabelAffinity:
    """1 where two studies have the same label and 0 elsewhere."""

    labels: Int[Tensor, " everyone"]

    def rows(self, places: slice) -> Float[Tensor, "rows everyone"]:
        """Return the affinities of some studies with all."""
        return (self.labels[places, None] == self.labels[None, :]).float()


@torch.no_grad()
def mixed_affinity(
    study: Float[Tensor, "study dim"] | None, report: Float[Tensor, "study width"], *, alpha: float
) -> MixedAffinity:
    """Return A = alpha cos(report, report) + (1 - alpha) cos(study, study), over all ranks.

    ``alpha`` mixes text and image; it is no strength: at 0 the images alone decide.

    Args:
        study: Unit rows of a teacher's, or the student's, studies; None where alpha is 1.
        report: Unit rows of its reports.
        alpha: Share of the reports, in [0, 1].

    Raises:
        ValueError: ``alpha`` is outside [0, 1], or below 1 without studies.
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha mixes text and image and lies in [0, 1], got {alpha}")
    counts = row_counts(report)
    texts = gather_rows(report.detach(), counts=counts)
    if alpha == 1.0:
        return MixedAffinity(texts=texts, images=None, alpha=alpha)
    if study is None:
        raise ValueError(f"alpha {alpha} asks for the images' affinity, and none were given")
    images = gather_rows(study.detach(), counts=counts)
    return MixedAffinity(texts=texts, images=images, alpha=alpha)


@torch.no_grad()
def label_affinity(label: Int[Tensor, " study"]) -> LabelAffinity:
    """Return 1 where two studies have the same label and 0 elsewhere, over all ranks."""
    return LabelAffinity(gather_rows(label))
