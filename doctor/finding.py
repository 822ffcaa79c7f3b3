"""What the doctor says: one thing that is wrong, its evidence, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule that fired, with everything needed to check it by hand."""

    rule: str
    """The rule's id, as in docs."""
    severity: Severity
    """``error``: the run cannot do what it is for. ``warning``: it may, at a cost."""
    statement: str
    """What is wrong, as one sentence with its number."""
    measured: float
    """What was measured."""
    threshold: float
    """What it would have to be."""
    formula: str
    """How it was computed, with the numbers put in."""
    null: str
    """What knowing nothing, or a constant answer, would score."""
    cause: str
    """The probable cause."""
    key: str
    """The config key to change."""
    remedy: str
    """What to do."""
    next_measurement: str
    """What would settle it."""


def render(finding: Finding) -> str:
    """Return a finding as one readable paragraph without line breaks."""
    return (
        f"{finding.rule} {finding.severity}: {finding.statement} "
        f"(measured {finding.measured:.3g}, threshold {finding.threshold:.3g}: {finding.formula}; "
        f"null: {finding.null}). "
        f"Cause: {finding.cause} Change `{finding.key}`: {finding.remedy} "
        f"To settle it: {finding.next_measurement}"
    )
