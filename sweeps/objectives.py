"""What a sweep may look for, where a run leaves it, and what it must not depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cinelex.config.nearest import nearest
from cinelex.core.errors import UserError
from cinelex.doctor.finding import render
from cinelex.doctor.rules.rule import Measured
from cinelex.doctor.rules.swept_keys import DEPENDENT_OBJECTIVE
from cinelex.sweeps.plan import Metric

WEIGHTS = ("loss_weights", "patch_contrastive_weight")
TEMPERATURE = ("temperature", "learn_temperature", "temperature_range")
TOTALS = ("loss", "total", "total_loss", "weighted_sum")
"""Last words of the names that weighted sums go by."""
CONTRASTIVE = (*TEMPERATURE, "contrastive", "batch", "model.dim")
UNITS: Mapping[str, Sequence[str]] = {
    "contrastive": CONTRASTIVE,
    "patch_contrastive": CONTRASTIVE,
    "captioning": ("tokenizer",),
    "masked_modeling": (
        "model.mask_ratio",
        "model.masked_clips",
        "model.video_encoder",
        "data.size",
        "data.channels",
        "data.frames",
    ),
}
"""The keys and sections that change what one unit of a loss term means, whatever is learned."""
UNKNOWN_TERM = tuple(dict.fromkeys(key for keys in UNITS.values() for key in keys))
"""Of a term that is not in the table, everything that changes any unit."""


@dataclass(frozen=True)
class Score:
    """One measured number, with what surrounds it."""

    value: float
    low: float | None = None
    """Lower end of the 95 % interval over held-out items; None where there is none."""
    high: float | None = None
    null: float | None = None
    """Chance, or the best of the baselines that look at nothing; None where neither is known."""


def plain_name(name: str) -> str:
    """Return the name of an objective without the ``val/`` that many logs put before it."""
    for prefix in ("val/", "validation/"):
        name = name.removeprefix(prefix)
    return name


def refuse_dependent(metric: Metric, swept: Sequence[str]) -> None:
    """Refuse an objective that a swept key changes without any learning.

    Raises:
        UserError: The metric is a weighted sum and a weight is swept, or a loss whose unit a swept
            key changes.
    """
    term = _term(metric.name)
    if term is None:
        return
    guilty = [*WEIGHTS, *UNKNOWN_TERM] if term in TOTALS else UNITS.get(term, UNKNOWN_TERM)
    for key in swept:
        cause = next((one for one in guilty if key == one or key.startswith(f"{one}.")), None)
        if cause is not None:
            named = {"metric": metric.name, "key": key, "reason": _reason(term, cause)}
            raise UserError(render(DEPENDENT_OBJECTIVE.finding(Measured(1.0, 0.0, named))))


def _term(name: str) -> str | None:
    """Return the loss term that a metric is; None for what is no loss."""
    parts = plain_name(name).split("/")
    last = parts[-2] if parts[-1] == "value" and len(parts) > 1 else parts[-1]
    if last in TOTALS:
        return last
    if parts[0] in ("loss", "losses") and len(parts) > 1:
        return parts[1]
    if last.endswith("_loss"):
        return last.removesuffix("_loss")
    return None


def _reason(term: str, cause: str) -> str:
    if cause in WEIGHTS:
        return "the smallest weights would win, whatever is learned"
    if cause in TEMPERATURE:
        return f"a temperature rescales the {term} loss, so the values are not comparable"
    return f"it changes the unit of the {term} loss, so the values are not comparable"


def find_score(results: Mapping[str, Any], name: str) -> Score:
    """Return the number at a path of a run's results.

    Raises:
        UserError: There is none, or it is undefined.
    """
    entry: Any = results
    for part in plain_name(name).split("/"):
        if not isinstance(entry, Mapping) or part not in entry:
            raise UserError(f"metric {name}: {_no_such(name, names_of_results(results))}")
        entry = entry[part]
    if isinstance(entry, Mapping):
        value, null = entry.get("value"), _null(entry)
        low, high = entry.get("low"), entry.get("high")
    else:
        value, low, high, null = entry, None, None, None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"metric {name} is undefined in this run's results")
    return Score(float(value), low, high, null)


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a validation's flat numbers as results have them: a value with its chance."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name.endswith("/chance"):
            continue
        *above, last = name.split("/")
        section = found
        for part in above:
            section = section.setdefault(part, {})
        section[last] = {"value": value, "chance": row.get(f"{name}/chance")}
    return found


def _null(entry: Mapping[str, Any]) -> float | None:
    if entry.get("chance") is not None:
        return float(entry["chance"])
    baselines = (entry.get("baselines") or {}).values()
    values = [base["value"] for base in baselines if base.get("value") is not None]
    return max(values, default=None)


def names_of_results(results: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the path of every number of a run's results that a sweep can look for."""
    names = []
    for key, entry in results.items():
        if isinstance(entry, Mapping):
            path = f"{prefix}{key}"
            names += [path] if "value" in entry else names_of_results(entry, f"{path}/")
        elif isinstance(entry, int | float) and not isinstance(entry, bool):
            names.append(f"{prefix}{key}")
    return names


def refuse_unknown(metric: Metric, names: Sequence[str]) -> None:
    """Refuse an objective that no run leaves behind.

    Raises:
        UserError: ``names`` does not hold it; the message has the nearest that it does hold.
    """
    if plain_name(metric.name) not in names:
        raise UserError(f"metric {metric.name}: {_no_such(metric.name, names)}")


def _no_such(name: str, names: Sequence[str]) -> str:
    near = nearest(plain_name(name), names)
    return "no such number; " + (f"did you mean {near}?" if near else f"there are {list(names)}")


def better(goal: Literal["minimize", "maximize"], value: float, other: float) -> bool:
    """Return whether ``value`` is strictly better than ``other``."""
    return value > other if goal == "maximize" else value < other
