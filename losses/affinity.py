"""How alike two studies are, by something other than the similarity that is being trained."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.contrastive import similarity_matrix


@torch.no_grad()
def mixed_affinity(
    study: Float[Tensor, "study dim"] | None, report: Float[Tensor, "study width"], *, alpha: float
) -> Float[Tensor, "everyone everyone"]:
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
    affinity = alpha * similarity_matrix(texts, texts)
    if alpha == 1.0:
        return affinity
    if study is None:
        raise ValueError(f"alpha {alpha} asks for the images' affinity, and none were given")
    images = gather_rows(study.detach(), counts=counts)
    return affinity + (1 - alpha) * similarity_matrix(images, images)


@torch.no_grad()
def label_affinity(label: Int[Tensor, " study"]) -> Float[Tensor, "everyone everyone"]:
    """Return 1 where two studies have the same label and 0 elsewhere, over all ranks."""
    labels = gather_rows(label)
    return (labels[:, None] == labels[None, :]).float()
