"""Which study and which report belong together, and which pairs nobody should judge."""

from dataclasses import dataclass

from jaxtyping import Bool, Int
from torch import Tensor


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
