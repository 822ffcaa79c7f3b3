"""D24: does one unit make up nearly all of a loss over quantities of several units?"""

from collections.abc import Iterator, Mapping

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding
from cinelex.doctor.rules.output_range import written

RULE = "D24"
MOST = 0.95
"""Share of the loss that the quantities of one unit may have."""


def loss_units_of(evidence: Evidence) -> Iterator[Finding]:
    """Judge the shares of the quantities that the final evaluation says the loss is made of."""
    rows = [row for row in written(evidence) if is_number(row.get("loss"))]
    units = {str(row.get("name")): str(row.get("unit")) for row in rows}
    found = loss_units({str(row.get("name")): float(row["loss"]) for row in rows}, units)
    if found is not None:
        yield found


def loss_units(parts: Mapping[str, float], units: Mapping[str, str]) -> Finding | None:
    """Return a finding if the quantities of one unit make up nearly all of the loss.

    Args:
        parts: What each quantity adds to the loss; not negative.
        units: The unit of each quantity.
    """
    total = sum(parts.values())
    kinds = sorted(set(units.values()))
    if len(kinds) < 2 or not total > 0:
        return None
    sums = {unit: sum(parts[name] for name in parts if units[name] == unit) for unit in kinds}
    unit = max(sums, key=lambda kind: sums[kind])
    share = sums[unit] / total
    if share <= MOST:
        return None
    count = sum(kind == unit for kind in units.values())
    name = max(parts, key=lambda quantity: parts[quantity])
    return Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"Quantities in {unit} make up {100 * share:.4g} % of a loss of {total:.6g}; "
            f"{name} alone is {100 * parts[name] / total:.3g} %."
        ),
        measured=share,
        threshold=MOST,
        formula=(
            f"sum over {unit} / sum over all = {sums[unit]:.6g} / {total:.6g}; the others have "
            + ", ".join(f"{sums[kind]:.4g} ({kind})" for kind in kinds if kind != unit)
        ),
        null=(
            f"{count} of {len(parts)} quantities are in {unit}: {100 * count / len(parts):.3g} % "
            "where all count the same"
        ),
        cause=(
            "The errors are in physical units, so that the unit with the largest numbers decides; "
            "the other quantities are not learned."
        ),
        key="project",
        remedy=(
            "Divide each quantity's error by its variance and average groups of one unit, as "
            "cinelex.losses.grouped_error does."
        ),
        next_measurement="The share of each unit at the best constant answer: it must be equal.",
    )
