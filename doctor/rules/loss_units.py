"""D24: does one unit make up nearly all of a loss over quantities of several units?"""

from collections import Counter
from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.output_range import written
from cinelex.doctor.rules.rule import Measured, Rule

MAX_SHARE = 0.95
"""Share of the loss that the quantities of one unit may have."""


def _drowned(evidence: Evidence) -> Iterator[Measured]:
    """Judge what each quantity of the final evaluation adds to the loss."""
    rows = [row for row in written(evidence) if is_number(row.get("loss"))]
    sums: Counter[str] = Counter()
    for row in rows:
        sums[str(row.get("unit"))] += row["loss"]
    total = sum(sums.values())
    if len(sums) < 2 or not total > 0:
        return
    unit, most = max(sums.items(), key=lambda item: item[1])
    if most / total <= MAX_SHARE:
        return
    count = sum(str(row.get("unit")) == unit for row in rows)
    largest = max(rows, key=lambda row: float(row["loss"]))
    named = {
        **{"unit": unit, "most": most, "total": total, "count": count, "all": len(rows)},
        "largest": largest.get("name"),
        "largest_percent": 100 * largest["loss"] / total,
        "count_percent": 100 * count / len(rows),
        "others": ", ".join(f"{sums[u]:.4g} ({u})" for u in sorted(sums) if u != unit),
    }
    yield Measured(most / total, MAX_SHARE, named)


LOSS_UNITS = Rule(
    id="D24",
    name="one unit that drowns the others",
    statement="Quantities in {unit} make up {percent:.4g} % of a loss of {total:.6g}; {largest} "
    "alone is {largest_percent:.3g} %.",
    formula="sum over {unit} / sum over all = {most:.6g} / {total:.6g}; the others have {others}",
    null="{count} of {all} quantities are in {unit}: {count_percent:.3g} % where all count the "
    "same",
    cause="The errors are in physical units, so that the unit with the largest numbers decides; "
    "the other quantities are not learned.",
    key="project",
    remedy="Divide each quantity's error by its variance and average groups of one unit, as "
    "cinelex.losses.grouped_error does.",
    next_measurement="The share of each unit at the best constant answer: it must be equal.",
    check=_drowned,
)
