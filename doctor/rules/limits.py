"""Rules of one form, rows of one table: a number of the start stays within a limit."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

TABLE = Path(__file__).with_suffix(".yaml")


def read_limits(path: Path) -> tuple[Rule, ...]:
    """Return the rules of a table: families, each with what its ``limits`` share."""
    # libyaml's safe loader takes a tenth of the time, which every start would wait for
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    families = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return tuple(limit(**{**family, **row}) for family in families for row in family.pop("limits"))


def limit(
    *,
    diagnostic: str,
    above: float | None = None,
    below: float | None = None,
    asked: str = "",
    within: float = 0.0,
    share_of: str = "",
    formula: str = "{diagnostic}, taken before the first step",
    next_measurement: str = "The same number after the change; --run_mode doctor takes it.",
    **texts: Any,
) -> Rule:
    """Return the rule that a number known before the first step stays within a limit.

    Args:
        diagnostic: The number; a list counts for its length. ``<diagnostic>/chance``, where there
            is one, is allowed too.
        above: What it must not exceed.
        below: What it must not fall below.
        asked: The diagnostic that it must be near.
        within: How near.
        share_of: The diagnostic that it is counted in, if it is not taken as it is.
        formula: How it was computed.
        next_measurement: What would settle it.
        texts: The rest of the rule.
    """

    def check(evidence: Evidence) -> Iterator[Measured]:
        known = evidence.diagnostics
        stated = known.get(diagnostic)
        if stated is None:
            return
        value = float(len(stated) if isinstance(stated, Sequence) else stated)
        duplicates = 100 * known.get("data/duplicate_reports", 0.0)
        named = {"diagnostic": diagnostic, "names": _shown(stated), "duplicates": duplicates}
        if share_of:
            value /= max(1, known.get(share_of, 1))
        most = None if above is None else max(above, known.get(f"{diagnostic}/chance", 0.0))
        if most is not None and value > most:
            yield Measured(value, most, named)
        if below is not None and value < below:
            yield Measured(value, below, named)
        wanted = known.get(asked)
        if wanted is not None and abs(value - wanted) > within:
            yield Measured(value, wanted, {**named, "asked": 100 * wanted})

    return Rule(formula=formula, next_measurement=next_measurement, check=check, **texts)


def _shown(names: object) -> str:
    """Return the first few of several names."""
    if not isinstance(names, Sequence):
        return ""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


LIMITS = read_limits(TABLE)
