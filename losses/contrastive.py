"""Study-level contrastive loss: a study's videos and its report must find each other."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, row_counts
from cinelex.losses.pairs import Pairs

Form = Literal["out", "in"]


@dataclass(frozen=True, kw_only=True)
class InfoNCE:
    """Symmetric InfoNCE over all studies of the global batch, in nats.

    With V and T the unit rows of studies and reports, t the temperature, S = V T^t / t, P(i) the
    positives of i (its own report and every identical one) and A(i) all reports but those that
    another study of the same patient has:

        out:  loss = 1/2 (mean_i [LSE_A(i) S_ij - mean_P(i) S_ij] + the same over columns)
        in:   loss = 1/2 (mean_i [LSE_A(i) S_ij - LSE_P(i) S_ij] + the same over columns)

    The ``in`` form is the mean of -log(the positives' share of the softmax). Where no report
    occurs twice, the forms are equal; where also every patient occurs once, they are CLIP's loss.

    Chance, all similarities alike: out: mean ln |A(i)|, which is ln(global batch) without repeated
    patients; in: mean ln(|A(i)| / |P(i)|). Floor, at N free embeddings without duplicates:
    ln(1 + (N - 1) exp(-N / ((N - 1) t))); with duplicates ``out`` cannot fall below
    mean ln |P(i)|, and ``in`` can reach 0.

    Source: Radford et al. 2021, CLIP, arXiv:2103.00020, Figure 3; Khosla et al. 2020,
    arXiv:2004.11362, equations 2 and 3; Miech et al. 2020, MIL-NCE, arXiv:1912.06430,
    equation 1.
    """

    form: Form = "out"
    """Whether the mean over positives is taken outside or inside the logarithm."""

    def __call__(
        self,
        study: Float[Tensor, "study dim"],
        report: Float[Tensor, "study dim"],
        *,
        temperature: Float[Tensor, ""],
        report_group: Int[Tensor, " study"],
        patient_group: Int[Tensor, " study"],
    ) -> Float[Tensor, ""]:
        """Score everyone's studies against everyone's reports; every rank gets the same value.

        Args:
            study: Unit rows, one a study of this rank.
            report: Unit rows, in the order of ``study``.
            temperature: Divides the cosine similarities; positive.
            report_group: Equal numbers mean equal report texts, on whatever rank they are.
            patient_group: Equal numbers mean the same patient, on whatever rank they are.
        """
        counts = row_counts(study)
        logits = similarity_matrix(
            gather_rows(study, counts=counts), gather_rows(report, counts=counts)
        ) / temperature.to(torch.promote_types(temperature.dtype, torch.float32))
        pairs = Pairs.of(
            gather_rows(report_group, counts=counts), gather_rows(patient_group, counts=counts)
        )
        return info_nce_from_logits(logits, pairs, form=self.form)


def similarity_matrix(
    study: Float[Tensor, "study dim"], report: Float[Tensor, "gallery dim"]
) -> Float[Tensor, "study gallery"]:
    """Return all inner products in float32 or better, whatever the dtype and autocast say.

    In bfloat16, logits at temperature 0.01 would cost 18 % of the gradient.
    """
    precision = torch.promote_types(study.dtype, torch.float32)
    with torch.autocast(study.device.type, enabled=False):
        return study.to(precision) @ report.to(precision).T


def info_nce_from_logits(
    logits: Float[Tensor, "study gallery"], pairs: Pairs, *, form: Form
) -> Float[Tensor, ""]:
    """Return the symmetric InfoNCE of a whole matrix of logits, in nats; see `InfoNCE`.

    Every row and every column must have a positive, as it has when gallery item i is study i's.
    """
    return (
        _one_way(logits, pairs, form=form, over=1) + _one_way(logits, pairs, form=form, over=0)
    ) / 2


def _one_way(
    logits: Float[Tensor, "study gallery"], pairs: Pairs, *, form: Form, over: int
) -> Float[Tensor, ""]:
    """Return the loss of the queries whose gallery is the axis ``over``."""
    everything = logits.masked_fill(pairs.excluded, -torch.inf).logsumexp(over)
    if form == "in":
        positives = logits.masked_fill(~pairs.positive, -torch.inf).logsumexp(over)
    else:
        total = logits.masked_fill(~pairs.positive, 0.0).sum(over)
        positives = total / pairs.positive.sum(over)
    return (everything - positives).mean()
