"""Counterfactual loss: a study against its report and a twin of it that differs in one fact."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True)
class Counterfactual:
    """InfoNCE between two reports, the study's own and its twin, in nats.

    With v, t and u the unit rows of a study, its report and its twin:

        loss = mean over studies with a twin of ln(1 + exp((v u - v t) / temperature))

    A model that tells them apart by nothing scores ln 2. In a batch, other reports differ in
    nearly everything, so that InfoNCE over them never has to read a negation or a number.

    Source: Yuksekgonul et al. 2023, arXiv:2210.01936, section 4 (negatives composed from the text);
    one a report here, and only for the report's side.
    """

    def __call__(
        self,
        study: Float[Tensor, "study dim"],
        report: Float[Tensor, "study dim"],
        twin: Float[Tensor, "study dim"],
        there: Bool[Tensor, " study"],
        *,
        temperature: Float[Tensor, ""],
    ) -> Float[Tensor, ""]:
        """Average over the studies of all ranks that have a twin; every rank gets the same value.

        Args:
            study: Unit rows.
            report: Unit rows of their reports.
            twin: Unit rows of the twins.
            there: False where a report has no twin, whatever ``twin`` holds there.
            temperature: Divides the cosines; positive.
        """
        nearer = (study * (report - twin)).sum(dim=1) / temperature
        total = sum_over_ranks(torch.where(there, F.softplus(-nearer), 0.0).sum())
        return total / sum_over_ranks(there.sum().to(total.dtype)).clamp_min(1.0)
