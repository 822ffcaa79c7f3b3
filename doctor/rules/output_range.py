"""D23: does what the model writes lie in its physical range, and was it denormalised twice?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding
from cinelex.projects.interface.results import Results

RULE = "D23"
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
    def denormalised_twice(self) -> bool:
        """Return whether undoing one denormalisation brings the output back into the range."""
        if not self.target_std > 0:
            return False
        slack = ROUNDING * (self.high - self.low)
        ends = [(end - self.target_mean) / self.target_std for end in (self.least, self.greatest)]
        return all(self.low - slack <= end <= self.high + slack for end in ends)


def output_range_of(evidence: Evidence) -> Iterator[Finding]:
    """Judge the table ``parameters`` of the final evaluation."""
    found = output_range([item for item in map(_output, written(evidence)) if item is not None])
    if found is not None:
        yield found


def written(evidence: Evidence) -> Sequence[Mapping[str, Any]]:
    """Return what the evaluation says of each quantity that the model writes."""
    tables = Results.from_json(evidence.results).tables
    return [row for table in tables if table.name == "parameters" for row in table.rows]


def _output(row: Mapping[str, Any]) -> Output | None:
    """Return a row as an output; None where a number is missing."""
    if not all(is_number(row.get(name)) for name in _NUMBERS) or row["high"] <= row["low"]:
        return None
    numbers = {name: float(row[name]) for name in _NUMBERS}
    return Output(name=str(row.get("name")), unit=str(row.get("unit")), **numbers)


def output_range(outputs: Sequence[Output]) -> Finding | None:
    """Return a finding if an output leaves the range that its quantity can have.

    Where (output - mean) / std of the targets is inside the range for every quantity that left it,
    the model already wrote physical values and they were denormalised once more.
    """
    outside = [output for output in outputs if output.excess]
    if not outside:
        return None
    worst = max(outside, key=lambda output: output.excess)
    twice = all(output.denormalised_twice for output in outside)
    end = worst.greatest if worst.greatest > worst.high else worst.least
    return Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"{len(outside)} of {len(outputs)} quantities leave their physical range: "
            + ", ".join(_said(output) for output in outside)
            + "."
        ),
        measured=end,
        threshold=worst.high if end > worst.high else worst.low,
        formula=_formula(worst, end, twice=twice),
        null=f"any output of a bounded head lies in [{worst.low:g}, {worst.high:g}] {worst.unit}",
        cause=(
            "The output is denormalised a second time: the decoder writes physical values already."
            if twice
            else "Nothing keeps the output inside: the head is unbounded, or its unit is not the "
            "target's."
        ),
        key="project",
        remedy=(
            "Keep targets, outputs and loss in one normalised unit, and decode once, through one "
            "typed codec."
        ),
        next_measurement=(
            "The same ranges for settings that go through encode and decode without the model: "
            "they must come back unchanged."
        ),
    )


def _said(output: Output) -> str:
    end = output.greatest if output.greatest > output.high else output.least
    return f"{output.name} {end:.0f} {output.unit} where {output.low:g} to {output.high:g} can be"


def _formula(output: Output, end: float, *, twice: bool) -> str:
    mean, std = output.target_mean, output.target_std
    if not twice:
        return f"{output.name}: {end:.6g} outside [{output.low:g}, {output.high:g}]"
    once = (end - mean) / std
    return (
        f"{output.name}: {end:.6g} = {once:.4g} * std + mean, with the targets' std {std:.5g} and "
        f"mean {mean:.5g}; {once:.4g} is inside [{output.low:g}, {output.high:g}]"
    )
