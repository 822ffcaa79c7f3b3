"""Study-level contrastive loss: a study's videos and its report must find each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, rank, row_counts, sum_over_ranks
from cinelex.losses.pairs import Pairs, allowed_means, group_means
from cinelex.losses.tiles import left_out, log_sum_exps, mean_over_both

Form = Literal["out", "in"]

HELD_WHOLE = 512
"""Studies up to which the matrix of all pairs is simply held: 1 MiB."""


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
    label_smoothing: float = 0.0
    """Share of the target that is spread evenly over A(i); only in the ``out`` form."""

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        refuse_smoothing(self.label_smoothing)
        if self.label_smoothing and self.form == "in":
            raise ValueError("label_smoothing belongs to form: out")

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
        temperature = temperature.to(torch.promote_types(temperature.dtype, torch.float32))
        compared = EveryPair.of(study, report, report_group, patient_group)
        if compared.many:
            return info_nce_in_tiles(
                compared, 1 / temperature, form=self.form, label_smoothing=self.label_smoothing
            )
        return info_nce_from_logits(
            compared.similarity() / temperature,
            compared.pairs(),
            form=self.form,
            label_smoothing=self.label_smoothing,
        )


def similarity_matrix(
    study: Float[Tensor, "study dim"], report: Float[Tensor, "gallery dim"]
) -> Float[Tensor, "study gallery"]:
    """Return all inner products in float32 or better, whatever the dtype and autocast say.

    In bfloat16, logits at temperature 0.01 would cost 18 % of the gradient.
    """
    precision = torch.promote_types(study.dtype, torch.float32)
    with torch.autocast(study.device.type, enabled=False):
        return study.to(precision) @ report.to(precision).T


@dataclass(frozen=True, kw_only=True)
class EveryPair:
    """All studies and all reports of the global batch, as one rank holds them."""

    study: Float[Tensor, "own dim"]
    """Unit rows of this rank's studies, in float32 or better."""
    report: Float[Tensor, "gallery dim"]
    """Unit rows of everybody's reports."""
    report_group: Int[Tensor, " gallery"]
    patient_group: Int[Tensor, " gallery"]
    counts: Sequence[int]
    """Studies of each rank."""

    @classmethod
    def of(
        cls,
        study: Float[Tensor, "own dim"],
        report: Float[Tensor, "own dim"],
        report_group: Int[Tensor, " own"],
        patient_group: Int[Tensor, " own"],
    ) -> "EveryPair":
        """Gather what every rank has to see; studies stay where they are."""
        counts, precision = row_counts(study), torch.promote_types(study.dtype, torch.float32)
        return cls(
            study=study.to(precision),
            report=gather_rows(report.to(precision), counts=counts),
            report_group=gather_rows(report_group, counts=counts),
            patient_group=gather_rows(patient_group, counts=counts),
            counts=counts,
        )

    @property
    def many(self) -> bool:
        """Return whether the matrix is too large to be held."""
        return len(self.report) > HELD_WHOLE

    def similarity(self) -> Float[Tensor, "gallery gallery"]:
        """Return all cosines."""
        return similarity_matrix(gather_rows(self.study, counts=self.counts), self.report)

    def pairs(self) -> Pairs:
        """Return what each pair is."""
        return Pairs.of(self.report_group, self.patient_group)

    @property
    def own(self) -> slice:
        """Return where this rank's studies stand among all."""
        first = sum(self.counts[: rank()])
        return slice(first, first + len(self.study))

    def pairs_of(self, rows: slice) -> Pairs:
        """Return what each pair is, of some of this rank's studies."""
        first = self.own.start
        shifted = slice(first + rows.start, first + rows.stop)
        return Pairs.of_rows(shifted, self.report_group, self.patient_group)

    def excluded(self, rows: slice) -> Bool[Tensor, "rows gallery"]:
        """Return the pairs that are left out, of some of this rank's studies."""
        return self.pairs_of(rows).excluded

    def negative(self, rows: slice) -> Bool[Tensor, "rows gallery"]:
        """Return the pairs that are no positives, of some of this rank's studies."""
        return ~self.pairs_of(rows).positive


def info_nce_in_tiles(
    compared: EveryPair, scale: Float[Tensor, ""], *, form: Form = "out", label_smoothing: float
) -> Float[Tensor, ""]:
    """Return the symmetric InfoNCE of many studies, in nats; see `InfoNCE`.

    Args:
        compared: All studies and all reports.
        scale: Multiplies the cosines.
        form: Where the mean over positives is taken.
        label_smoothing: Share of the target that is spread evenly.
    """
    views = [left_out(compared.excluded)]
    if form == "in":
        views.append(left_out(compared.negative))
    with torch.autocast(compared.study.device.type, enabled=False):
        sums, _ = log_sum_exps(compared.study, compared.report, scale=scale, views=views)
        everything = mean_over_both(sums[0])
        if form == "in":
            return everything - mean_over_both(sums[1])
        # a group's mean positive is the same number whether rows or columns are averaged
        target = group_means(compared.report, compared.report_group)
        if label_smoothing:
            allowed = allowed_means(compared.report, compared.report_group, compared.patient_group)
            target = torch.lerp(target, allowed, label_smoothing)
        own_total = sum_over_ranks((compared.study * target[compared.own]).sum())
        return everything - scale * own_total / len(compared.report)


def info_nce_from_logits(
    logits: Float[Tensor, "study gallery"],
    pairs: Pairs,
    *,
    form: Form,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Return the symmetric InfoNCE of a whole matrix of logits, in nats; see `InfoNCE`.

    Every row and every column must have a positive, as it has when gallery item i is study i's.
    """
    way = partial(_one_way, logits, pairs, form=form, label_smoothing=label_smoothing)
    return (way(over=1) + way(over=0)) / 2


def refuse_smoothing(share: float) -> None:
    """Refuse a share of the target that leaves nothing for the own pair.

    Raises:
        ValueError: It is negative, or 1 and more.
    """
    if not 0 <= share < 1:
        raise ValueError(f"label_smoothing must lie in [0, 1), got {share}")


def _one_way(
    logits: Float[Tensor, "study gallery"],
    pairs: Pairs,
    *,
    form: Form,
    label_smoothing: float,
    over: int,
) -> Float[Tensor, ""]:
    """Return the loss of the queries whose gallery is the axis ``over``."""
    everything = logits.masked_fill(pairs.excluded, -torch.inf).logsumexp(over)
    if form == "in":
        positives = logits.masked_fill(~pairs.positive, -torch.inf).logsumexp(over)
    else:
        total = logits.masked_fill(~pairs.positive, 0.0).sum(over)
        positives = total / pairs.positive.sum(over)
    if label_smoothing:
        allowed = logits.masked_fill(pairs.excluded, 0.0).sum(over) / (~pairs.excluded).sum(over)
        positives = (1 - label_smoothing) * positives + label_smoothing * allowed
    return (everything - positives).mean()
