"""D23: does what the model writes lie in its physical range, and was it denormalised twice?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.projects.interface.results import Results

ROUNDING = 1e-6
"""Share of a range by which rounding may leave it."""
_NUMBERS = ("low", "high", "least", "greatest", "target_mean", "target_std")


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a model writes for one quantity, in the quantity's own unit."""

    name: str
    unit: str
    low: float
    """The least that can be."""
    high: float
    """The most that can be."""
    least: float
    """The least that the model wrote."""
    greatest: float
    """The most that it wrote."""
    target_mean: float
    """Mean of the targets."""
    target_std: float
    """Standard deviation of the targets."""

    @property
    def excess(self) -> float:
        """Return by how many widths of the range the output leaves it; 0 inside."""
        width = self.high - self.low
        over = max(self.greatest - self.high, self.low - self.least, 0.0) / width
        return over if over > ROUNDING else 0.0

    @property
    def end(self) -> float:
        """Return the end of the output that is outside."""
        return self.greatest if self.greatest > self.high else self.least

    @property
    def denormalised_twice(self) -> bool:
        """Return whether undoing one denormalisation brings the output back into the range."""
        if not self.target_std > 0:
            return False
        slack = ROUNDING * (self.high - self.low)
        ends = [(end - self.target_mean) / self.target_std for end in (self.least, self.greatest)]
        return all(self.low - slack <= end <= self.high + slack for end in ends)

    def before_the_last_denormalisation(self) -> str:
        """Return what the output was, with the numbers that made it of that."""
        once = (self.end - self.target_mean) / self.target_std
        return (
            f", and = {once:.4g} * std + mean, with the targets' std {self.target_std:.5g} and "
            f"mean {self.target_mean:.5g}; {once:.4g} is inside"
        )

    def __str__(self) -> str:
        """Return what left which range."""
        return f"{self.name} {self.end:.0f} {self.unit} where {self.low:g} to {self.high:g} can be"


def written(evidence: Evidence) -> Sequence[Mapping[str, Any]]:
    """Return what the evaluation says of each quantity that the model writes."""
    tables = Results.from_json(evidence.results).tables
    return [row for table in tables if table.name == "parameters" for row in table.rows]


def _outputs(evidence: Evidence) -> Iterator[Output]:
    """Yield what has all its numbers."""
    for row in written(evidence):
        if all(is_number(row.get(name)) for name in _NUMBERS) and row["high"] > row["low"]:
            numbers = {name: float(row[name]) for name in _NUMBERS}
            yield Output(name=str(row.get("name")), unit=str(row.get("unit")), **numbers)


def _outside(evidence: Evidence) -> Iterator[Measured]:
    """Yield the worst output outside its range.

    Where (output - mean) / std of the targets is inside the range for every quantity that left it,
    the model already wrote physical values and they were denormalised once more.
    """
    outputs = list(_outputs(evidence))
    outside = [output for output in outputs if output.excess]
    if not outside:
        return
    worst = max(outside, key=lambda output: output.excess)
    twice = all(output.denormalised_twice for output in outside)
    named = {
        **{"outside": len(outside), "all": len(outputs), "worst": worst},
        "said": ", ".join(map(str, outside)),
        "cause": DENORMALISED_TWICE if twice else UNBOUNDED,
        "once": "" if not twice else worst.before_the_last_denormalisation(),
    }
    yield Measured(worst.end, worst.high if worst.end > worst.high else worst.low, named)


DENORMALISED_TWICE = (
    "The output is denormalised a second time: the decoder writes physical values already."
)
UNBOUNDED = (
    "Nothing keeps the output inside: the head is unbounded, or its unit is not the target's."
)
OUTPUT_RANGE = Rule(
    id="D23",
    name="outputs outside their range",
    statement="{outside} of {all} quantities leave their physical range: {said}.",
    formula="{worst.name}: {value:.6g} outside [{worst.low:g}, {worst.high:g}]{once}",
    null="any output of a bounded head lies in [{worst.low:g}, {worst.high:g}] {worst.unit}",
    cause="{cause}",
    key="project",
    remedy="Keep targets, outputs and loss in one normalised unit, and decode once, through one "
    "typed codec.",
    next_measurement="The same ranges for settings that go through encode and decode without the "
    "model: they must come back unchanged.",
    check=_outside,
)
