"""What the doctor says: one thing that is wrong, its evidence, and what to do about it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
"""From worst on. ``error``: the run cannot do what it is for. ``warning``: it may, at a cost.
``note``: true and worth knowing, and no reason to change anything."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What is said of something that is wrong; in a rule with braces where numbers belong."""

    statement: str
    """What is wrong, as one sentence with its number."""
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


@dataclass(frozen=True, kw_only=True)
class Finding(Texts):
    """One rule that fired, with everything needed to check it by hand."""

    rule: str
    """The rule's id, as in docs."""
    severity: Severity
    """How bad it is."""
    measured: float
    """What was measured."""
    threshold: float
    """What it would have to be."""
    course: tuple[str, ...] = ()
    """Keys of the record that show it step by step: the first was measured, the others are nulls.
    Empty where it is one number, known before the first step."""
    line: float | None = None
    """Where the null of the course stands, if no key of the record holds it."""


def finding_of(row: Any) -> Finding | None:
    """Return a finding from what a file holds of it; None if that is something else."""
    if not isinstance(row, Mapping) or row.keys() != {field.name for field in fields(Finding)}:
        return None
    return Finding(**{**row, "course": tuple(row["course"])})


def render(finding: Finding) -> str:
    """Return a finding as one readable paragraph without line breaks."""
    return (
        f"{finding.rule} {finding.severity}: {finding.statement} "
        f"(measured {finding.measured:.3g}, threshold {finding.threshold:.3g}: {finding.formula}; "
        f"null: {finding.null}). "
        f"Cause: {finding.cause} Change `{finding.key}`: {finding.remedy} "
        f"To settle it: {finding.next_measurement}"
    )


def as_json(findings: Iterable[Finding]) -> str:
    """Return findings as one JSON list for machines, each with every field of a finding."""
    return json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings by severity, those of one severity in the order of their rules."""
    return sorted(
        findings, key=lambda finding: (SEVERITIES.index(finding.severity), int(finding.rule[1:]))
    )


def summary(findings: Iterable[Finding]) -> str:
    """Return every finding as a paragraph, in their order, or that there is none."""
    return "\n\n".join(map(render, findings)) or "the doctor finds nothing"


def short_lines(findings: Iterable[Finding]) -> list[str]:
    """Return what is wrong in a line each, without notes; cause and remedy stand on the page."""
    return [f"{f.rule} {f.severity}: {f.statement}" for f in findings if f.severity != "note"]


def is_sick(findings: Iterable[Finding]) -> bool:
    """Return whether a finding says that the run cannot do what it is for."""
    return any(finding.severity == "error" for finding in findings)
