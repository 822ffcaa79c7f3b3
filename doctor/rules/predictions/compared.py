"""D22: were these predictions, or their scores, made from those of another table?"""

from collections.abc import Iterator, Mapping

import numpy as np

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.table import Predictions, Scored
from cinelex.doctor.rules.predictions.texts import text_report
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.classification import auroc
from cinelex.metrics.equal_factor import MAX_P, equal_factor, written

MIN_METRICS = 4
MIN_ITEMS = 20
EXACT = 1e-5


def _one_factor(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None or table.reference is None:
        return
    both = [_values(one) for one in (table.reference, table)]
    shared = both[0].keys() & both[1].keys()
    before, after = ({name: written(one[name]) for name in sorted(shared)} for one in both)
    common = equal_factor(before, after)
    if common is not None and len(common.names) >= MIN_METRICS:
        named = {"count": len(common.names), "change": 100 * common.change}
        yield Measured(common.p_value, MAX_P, named)


def _values(table: Predictions) -> Mapping[str, float]:
    """Return every score of every column that was named."""
    found: dict[str, float] = {}
    for scored in table.scores:
        found |= {f"{scored.name}/{name}": value for name, value in _scores(scored).items()}
    for told in table.texts:
        found |= {
            f"{told.name}/{name}": entry["value"]
            for name, entry in text_report(told).items()
            if entry["value"] is not None
        }
    for name, cells in table.manifest.items():
        if name == "value" and "metric" in table.manifest:
            numbers = [float(cell) for cell in cells]
            found |= dict(zip(map(str, table.manifest["metric"]), numbers, strict=True))
    return {name: value for name, value in found.items() if np.isfinite(value) and value != 1}


def _scores(scored: Scored) -> dict[str, float]:
    if scored.binary:
        brier = float(((scored.predicted - scored.truth) ** 2).mean())
        return {"auc": auroc(scored.predicted, scored.truth > 0), "brier": brier}
    error = scored.predicted - scored.truth
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r": float(np.corrcoef(scored.predicted, scored.truth)[0, 1]),
    }


def _scaled(evidence: Evidence) -> Iterator[Measured]:
    """Find errors that are those of the other table times one number, on every sample."""
    table = evidence.table
    if table is None or table.reference is None:
        return
    others = {scored.name: scored for scored in table.reference.scores}
    for scored in table.scores:
        other = others.get(scored.name)
        if other is None:
            continue
        _, own, theirs = np.intersect1d(scored.asked, other.asked, return_indices=True)
        if len(own) < MIN_ITEMS:
            continue
        for what, first, second in (
            ("predictions", scored.predicted[own], other.predicted[theirs]),
            (
                "errors",
                scored.predicted[own] - scored.truth[own],
                other.predicted[theirs] - other.truth[theirs],
            ),
        ):
            factor = float(first @ second) / max(float(second @ second), 1e-300)
            left = np.abs(first - factor * second).max() / max(float(np.abs(first).max()), 1e-300)
            if left < EXACT and abs(factor - 1) > EXACT:
                named = {"column": scored.name, "what": what, "factor": factor, "items": len(own)}
                yield Measured(float(left), EXACT, named)
                break


ONE_FACTOR = Rule(
    id="D22",
    name="scores that moved by one factor",
    statement="{count} scores all moved by {change:.2f} % from those of the other table: measured "
    "numbers never move together like that.",
    formula="probability that independent changes of this size agree so well",
    null="1 for scores that moved each on its own",
    cause="The numbers were made from the others, not measured.",
    key="--reference",
    remedy="predict again, and keep the hash of the weights with the table.",
    next_measurement="The same table from another seed.",
    check=_one_factor,
)
SCALED = Rule(
    id="D22",
    name="predictions made from others",
    statement="The {what} of {column} are those of the other table times {factor:.4f} on each of "
    "{items} samples.",
    formula="largest |own - factor * other| / largest |own|",
    null="near 1 for two models",
    cause="One table was made from the other.",
    key="--reference",
    remedy="predict again, and keep the hash of the weights with the table.",
    next_measurement="The same table from another seed.",
    check=_scaled,
)
RULES = (ONE_FACTOR, SCALED)
