"""D23: does what the model writes lie in its physical range, and was it denormalised twice?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule

ROUNDING = 1e-6
"""Share of a range by which rounding may leave it."""
_NUMBERS = ("low", "high", "least", "greatest", "target_mean", "target_std")


Output = Mapping[str, Any]
"""What an evaluation says of one quantity that the model writes, in the quantity's own unit: the
range that can be, the range that was written, and the targets' mean and deviation."""


def written(evidence: Evidence) -> Sequence[Output]:
    """Return what the evaluation says of each quantity that the model writes."""
    tables = evidence.results.tables if evidence.results else ()
    return [row for table in tables if table.name == "parameters" for row in table.rows]


def _excess(output: Output) -> float:
    """Return by how many widths of its range an output leaves it; 0 inside."""
    over = max(output["greatest"] - output["high"], output["low"] - output["least"], 0.0)
    share = over / (output["high"] - output["low"])
    return share if share > ROUNDING else 0.0


def _end(output: Output) -> float:
    """Return the end of what was written that is outside."""
    return output["greatest"] if output["greatest"] > output["high"] else output["least"]


def _before(output: Output, value: float) -> float:
    """Return what a value was before the last denormalisation."""
    return (value - output["target_mean"]) / output["target_std"]


def _denormalised_twice(output: Output) -> bool:
    """Return whether undoing one denormalisation brings an output back into its range."""
    if not output["target_std"] > 0:
        return False
    slack = ROUNDING * (output["high"] - output["low"])
    ends = [_before(output, output[end]) for end in ("least", "greatest")]
    return all(output["low"] - slack <= end <= output["high"] + slack for end in ends)


def _outside(evidence: Evidence) -> Iterator[Measured]:
    """Yield the worst output outside its range.

    Where (output - mean) / std of the targets is inside the range for every quantity that left it,
    the model already wrote physical values and they were denormalised once more.
    """
    outputs = [
        row
        for row in written(evidence)
        if all(is_number(row.get(name)) for name in _NUMBERS) and row["high"] > row["low"]
    ]
    outside = [output for output in outputs if _excess(output)]
    if not outside:
        return
    worst, once = max(outside, key=_excess), ""
    end = _end(worst)
    twice = all(map(_denormalised_twice, outside))
    if twice:
        inside = _before(worst, end)
        once = ONCE.format(inside=inside, std=worst["target_std"], mean=worst["target_mean"])
    named = {
        **{"outside": len(outside), "all": len(outputs), "worst": worst, "once": once},
        "said": ", ".join(SAID.format(end=_end(output), **output) for output in outside),
        "cause": DENORMALISED_TWICE if twice else UNBOUNDED,
    }
    yield Measured(end, worst["high"] if end > worst["high"] else worst["low"], named)


SAID = "{name} {end:.0f} {unit} where {low:g} to {high:g} can be"
ONCE = (
    ", and = {inside:.4g} * std + mean, with the targets' std {std:.5g} and mean {mean:.5g}; "
    "{inside:.4g} is inside"
)
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
    formula="{worst[name]}: {value:.6g} outside [{worst[low]:g}, {worst[high]:g}]{once}",
    null="any output of a bounded head lies in [{worst[low]:g}, {worst[high]:g}] {worst[unit]}",
    cause="{cause}",
    key="project",
    remedy="Keep targets, outputs and loss in one normalised unit, and decode once, through one "
    "typed codec.",
    next_measurement="The same ranges for settings that go through encode and decode without the "
    "model: they must come back unchanged.",
    check=_outside,
)
