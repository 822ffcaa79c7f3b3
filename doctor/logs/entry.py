"""One line of the claim ledger."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

Verdict = Literal["supported", "contradicted", "not testable"]
VERDICTS: tuple[Verdict, ...] = ("contradicted", "not testable", "supported")
"""As reports list them: what somebody may have believed wrongly comes first."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim about one metric, and how it is to be judged."""

    run: str
    metric: str
    claim: str
    """What somebody would like to say, in their words."""
    window: str
    """The steps that are looked at."""
    estimator: str
    null: str = ""
    """What the value would be if the claim had nothing to it."""

    def answer(
        self,
        verdict: Verdict,
        reason: str,
        *,
        value: float | None = None,
        interval: tuple[float, float] | None = None,
    ) -> "Entry":
        """Return the claim with what came out."""
        return Entry(self, verdict, reason, value, interval)


@dataclass(frozen=True)
class Entry:
    """A claim, what was measured, and the verdict."""

    question: Question
    verdict: Verdict
    reason: str
    """Why, as a sentence with its numbers."""
    value: float | None = None
    interval: tuple[float, float] | None = None
    """95 %."""

    def as_json(self) -> dict[str, object]:
        """Return the entry with numbers that JSON can hold."""
        low, high = self.interval or (math.nan, math.nan)
        return {
            **asdict(self.question),
            "verdict": self.verdict,
            "reason": self.reason,
            "value": _finite(self.value),
            "low": _finite(low),
            "high": _finite(high),
        }


def number(value: float) -> str:
    """Return a number with four significant digits, for sentences."""
    return f"{value:.4g}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
