"""What a sweep may look for, and what it must not depend on."""

from collections.abc import Sequence
from typing import Literal

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.core.names import covered
from cinelex.doctor.finding import render
from cinelex.doctor.rules.rule import Measured
from cinelex.doctor.rules.swept_keys import DEPENDENT_OBJECTIVE
from cinelex.projects import PROJECTS
from cinelex.projects.interface.results import Results
from cinelex.sweeps.plan import Metric

TOTALS = ("loss", "total", "total_loss", "weighted_sum")
"""Last words of the names that weighted sums go by."""


def plain_name(name: str) -> str:
    """Return the name of an objective without the ``val/`` that many logs put before it."""
    for prefix in ("val/", "validation/"):
        name = name.removeprefix(prefix)
    return name


def refuse_dependent(metric: Metric, swept: Sequence[str], project: str) -> None:
    """Refuse an objective that a swept key changes without any learning, as rule D1 does.

    Raises:
        UserError: The metric is a weighted sum and a weight is swept, or a loss whose unit a swept
            key changes.
    """
    term = _term(metric.name)
    if term is None:
        return
    terms = PROJECTS[project].terms
    units = {key for one in terms.values() for key in one.unit_keys}
    weights = {one.weight_section for one in terms.values() if one.weight_section}
    if term in TOTALS:
        units |= weights
    elif term in terms:
        units = {*terms[term].unit_keys}
    for key in swept:
        if covered(key, units):
            reason = (
                "the smallest weights would win, whatever is learned"
                if covered(key, weights)
                else f"it changes the unit of the {term} loss, so the values are not comparable"
            )
            named = {"metric": metric.name, "key": key, "reason": reason}
            raise UserError(render(DEPENDENT_OBJECTIVE.finding(Measured(1.0, 0.0, named))))


def _term(name: str) -> str | None:
    """Return the loss term that a metric is; None for what is no loss."""
    parts = plain_name(name).split("/")
    last = parts[-2] if parts[-1] == "value" and len(parts) > 1 else parts[-1]
    if last in TOTALS:
        return last
    if parts[0] in ("loss", "losses") and len(parts) > 1:
        return parts[1]
    return last.removesuffix("_loss") if last.endswith("_loss") else None


def refuse_unknown(metric: Metric, names: Sequence[str]) -> None:
    """Refuse an objective that no run leaves behind.

    Raises:
        UserError: ``names`` does not hold it; the message has the nearest that it does hold.
    """
    name = plain_name(metric.name)
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"metric {metric.name}: no such number; {hint}")


def names_of(results: Results) -> list[str]:
    """Return the name of every score that a sweep can look for."""
    return [score.name.replace(".", "/") for score in results.scores()]


def better(goal: Literal["minimize", "maximize"], value: float, other: float) -> bool:
    """Return whether ``value`` is strictly better than ``other``."""
    return value > other if goal == "maximize" else value < other
