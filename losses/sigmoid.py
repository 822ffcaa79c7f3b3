"""Sigmoid contrastive loss: every pair of a study and a report is a yes or a no."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.losses.contrastive import EveryPair
from cinelex.losses.pairs import group_sums
from cinelex.losses.sigmoid_tiles import Judged, sigmoid_cost


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
        compared = EveryPair.of(study, report, report_group, patient_group)
        precision = compared.study.dtype
        scale, bias = 1 / temperature.to(precision), bias.to(precision)
        if compared.many:
            with torch.autocast(study.device.type, enabled=False):
                rows = compared.study, compared.report
                cost = sigmoid_cost(*rows, scale=scale, bias=bias, judged=_judged(compared))
            return cost / len(compared.report)
        pairs = compared.pairs()
        logits = compared.similarity() / temperature.to(precision) + bias
        signed = torch.where(pairs.positive, logits, -logits)
        return -F.logsigmoid(signed).masked_fill(pairs.excluded, 0.0).sum() / len(logits)


@torch.no_grad()
def _judged(compared: EveryPair) -> Judged:
    drawn = group_sums(compared.report, compared.report_group)[compared.own]
    ones = compared.report.new_ones(len(compared.report), 1)
    positives = group_sums(ones, compared.report_group)[compared.own].sum()
    return Judged(compared.pairs_of, drawn, positives)
