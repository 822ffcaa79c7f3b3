"""What a rule of the doctor is: everything it says, said once, and the check that decides."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, Severity, Texts

TEXTS = tuple(one.name for one in fields(Texts))


@dataclass(frozen=True)
class Measured:
    """What a check found out of order."""

    value: float
    threshold: float
    """What the value would have to be."""
    named: Mapping[str, Any] = field(default_factory=dict)
    """What the texts of the rule name in braces, beside ``value`` and ``percent`` of it."""
    severity: Severity | None = None
    """How bad it is, where that depends on what was measured."""
    course: tuple[str, ...] = ()
    """As in `Finding`."""
    line: float | None = None
    """As in `Finding`."""


Check = Callable[[Evidence], Iterable[Measured]]
"""Yields nothing where its evidence is not there; never raises on a sick run."""


@dataclass(frozen=True, kw_only=True)
class Rule(Texts):
    """One thing that can be wrong. Texts may name what was measured in braces."""

    id: str
    """As in docs; what is asked about one subject shares it."""
    name: str
    severity: Severity = "error"
    check: Check | None = None
    """None where no run shows it: a sweep's own checks ask D1 before the first trial."""

    def findings(self, evidence: Evidence) -> Iterator[Finding]:
        """Yield what the check finds, in the words of the rule."""
        for measured in self.check(evidence) if self.check else ():
            yield self.finding(measured)

    def finding(self, measured: Measured) -> Finding:
        """Return what was measured in the words of the rule."""
        named = {"value": measured.value, "percent": 100 * measured.value, **measured.named}
        return Finding(
            rule=self.id,
            severity=measured.severity or self.severity,
            measured=measured.value,
            threshold=measured.threshold,
            course=measured.course,
            line=measured.line,
            **{text: getattr(self, text).format(**named) for text in TEXTS},
        )
