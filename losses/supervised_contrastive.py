"""Supervised contrastive loss: samples that share a label must find one another."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.contrastive import similarity_matrix


@dataclass(frozen=True)
class SupervisedContrastive:
    """Softmax of every sample over all others of the global batch, in nats.

    With unit rows z, temperature t, and P(i) the other samples that share a label with i:

        loss = mean over anchors i with |P(i)| > 0 of
               [ LSE_{j != i} z_i z_j / t  -  mean_{j in P(i)} z_i z_j / t ]

    The pair of a sample with itself is in neither part: its cosine is always 1, and it would be
    the largest of all. Anchors without a positive are no anchors, but negatives of the others.

    Collapsed, all rows equal: ln(B - 1) for B samples, however many labels there are
    (``cinelex.metrics.nulls.supcon_collapsed``). 0 where no sample has a positive.

    Source: Khosla et al. 2020, arXiv:2004.11362, equation 2 (positives outside the logarithm).
    """

    def __call__(
        self,
        rows: Float[Tensor, "sample dim"],
        labels: Bool[Tensor, "sample label"],
        *,
        temperature: Float[Tensor, ""],
    ) -> Float[Tensor, ""]:
        """Compare everyone's samples with everyone's; every rank gets the same value.

        Args:
            rows: Unit rows of this rank.
            labels: True where a sample has a label; a sample can have several, or none.
            temperature: Divides the cosines; positive.
        """
        counts = row_counts(rows)
        everyone = gather_rows(rows, counts=counts)
        positive = share_a_label(gather_rows(labels, counts=counts))
        precision = torch.promote_types(temperature.dtype, torch.float32)
        logits = similarity_matrix(everyone, everyone) / temperature.to(precision)
        itself = torch.eye(len(everyone), dtype=torch.bool, device=rows.device)
        everything = logits.masked_fill(itself, -torch.inf).logsumexp(dim=1)
        own = positive.sum(dim=1)
        mean = logits.masked_fill(~positive, 0.0).sum(dim=1) / own.clamp_min(1)
        anchor = own > 0
        cost = torch.where(anchor, everything - mean, 0.0)
        return cost.sum() / anchor.sum().clamp_min(1)


def share_a_label(labels: Bool[Tensor, "sample label"]) -> Bool[Tensor, "sample other"]:
    """Return which two different samples have a label in common."""
    counts = labels.float() @ labels.float().T
    return (counts > 0).fill_diagonal_(False)
