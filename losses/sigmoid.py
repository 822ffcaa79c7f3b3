"""Sigmoid contrastive loss: every pair of a study and a report is a yes or a no."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.contrastive import similarity_matrix
from cinelex.losses.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class SigLIP:
    """Pairwise sigmoid loss over the global batch, in nats a study.

    With V and T the unit rows, t the temperature, b the bias and z_ij = 1 for a study's own report
    and every identical one, -1 for the others; pairs of one patient that are not positives are
    left out:

        loss = -1/N sum_ij log sigmoid(z_ij (V_i T_j^t / t + b))

    The paper's multiplier is the ``scale`` 1/t. At the start, all similarities 0 and b = -ln(N-1)
    without duplicates, it costs ln N + (N - 1) ln(N / (N - 1)), about ln N + 1; with b = 0 it costs
    N ln 2. Its floor is 0.

    Source: Zhai et al. 2023, arXiv:2303.15343, equation 1 and section 3.2.
    """

    def __call__(
        self,
        study: Float[Tensor, "study dim"],
        report: Float[Tensor, "study dim"],
        *,
        temperature: Float[Tensor, ""],
        bias: Float[Tensor, ""],
        report_group: Int[Tensor, " study"],
        patient_group: Int[Tensor, " study"],
    ) -> Float[Tensor, ""]:
        """Judge all pairs of everyone's studies and reports; every rank gets the same value.

        Args:
            study: Unit rows, one a study of this rank.
            report: Unit rows, in the order of ``study``.
            temperature: Divides the cosine similarities; positive.
            bias: Added to the logits; start it at -ln(N - 1).
            report_group: Equal numbers mean equal report texts, on whatever rank they are.
            patient_group: Equal numbers mean the same patient, on whatever rank they are.
        """
        counts = row_counts(study)
        similarity = similarity_matrix(
            gather_rows(study, counts=counts), gather_rows(report, counts=counts)
        )
        pairs = Pairs.of(
            gather_rows(report_group, counts=counts), gather_rows(patient_group, counts=counts)
        )
        logits = similarity / temperature.to(similarity.dtype) + bias.to(similarity.dtype)
        signed = torch.where(pairs.positive, logits, -logits)
        cost = -F.logsigmoid(signed).masked_fill(pairs.excluded, 0.0)
        return cost.sum() / len(similarity)
