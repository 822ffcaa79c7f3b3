"""Which study and which report belong together, and which pairs nobody should judge."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Rows = Float[Tensor, "gallery dim"]
Group = Int[Tensor, " gallery"]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What each pair of a study and a report is; all pairs that are neither are negatives."""

    positive: Bool[Tensor, "study gallery"]
    """True where the report's text is the study's own; duplicates are positives of one another."""
    excluded: Bool[Tensor, "study gallery"]
    """True where a pair is left out: the same patient, another report."""

    @classmethod
    def of(
        cls, report_group: Int[Tensor, " study"], patient_group: Int[Tensor, " study"]
    ) -> "Pairs":
        """Compare every study with every study's report.

        Args:
            report_group: Equal numbers mean equal report texts, on whatever rank they are.
            patient_group: Equal numbers mean the same patient, on whatever rank they are.
        """
        return cls.of_rows(slice(None), report_group, patient_group)

    @classmethod
    def of_rows(
        cls,
        rows: slice,
        report_group: Int[Tensor, " study"],
        patient_group: Int[Tensor, " study"],
    ) -> "Pairs":
        """Compare some studies with every study's report; see `of`."""
        positive = report_group[rows, None] == report_group[None, :]
        same_patient = patient_group[rows, None] == patient_group[None, :]
        return cls(positive=positive, excluded=same_patient & ~positive)


def group_means(rows: Rows, group: Group) -> Rows:
    """Return for each row the mean over its group."""
    return group_sums(rows, group) / _sizes(rows, group)


def allowed_means(rows: Rows, report_group: Group, patient_group: Group) -> Rows:
    """Return for each study the mean over all reports but those that are excluded for it.

    It is the mean of two means, over what a study may meet and over what a report may meet, so that
    its product with the studies' rows sums up to what both directions take from the logits. Without
    the matrix of all pairs: what is excluded are the patient's reports but the ones of equal text.
    """
    same_text = _names(report_group) * len(rows) + _names(patient_group)

    def of_allowed(values: Rows) -> Rows:
        return values.sum(0) - group_sums(values, patient_group) + group_sums(values, same_text)

    counts = of_allowed(rows.new_ones(len(rows), 1))
    return (of_allowed(rows) / counts + of_allowed(rows / counts)) / 2


def group_sums(rows: Rows, group: Group) -> Rows:
    """Return for each row the sum over its group."""
    sums: Rows = _GroupSums.apply(rows, _names(group))
    return sums


class _GroupSums(torch.autograd.Function):
    """Its own gradient; what autograd makes of its steps holds four times the rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, name: Tensor) -> Tensor:
        ctx.save_for_backward(name)
        return _sums(rows, name)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _sums(gradient, *ctx.saved_tensors), None


def _sums(rows: Rows, name: Group) -> Rows:
    return torch.zeros_like(rows).index_add_(0, name, rows)[name]


def _sizes(rows: Rows, group: Group) -> Float[Tensor, "gallery 1"]:
    return group_sums(rows.new_ones(len(rows), 1), group)


def _names(group: Group) -> Group:
    """Return the first place of each one's group in sorted order, which names it.

    Found without waiting for the device.
    """
    return torch.searchsorted(group.sort().values, group)
