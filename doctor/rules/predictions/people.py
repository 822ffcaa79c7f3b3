"""N11 and N8: who is served worst, and how far does the machine alone tell the answer?"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.table import Predictions, Scored
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.bootstrap import Weighted, drawn_counts
from cinelex.metrics.classification import auroc
from cinelex.metrics.weighted import auroc_of, mean_of

MIN_GROUP = 30
MIN_ITEMS = 100
DRAWS = 200
RESAMPLED = 20_000
LEVEL = 0.05
BOTH = (True, False)
"""Inside a subgroup, and outside."""
MIN_KNOWN = 0.1
"""How far above chance (of 1) metadata must be to be worth a word."""


def _weak(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None:
        return
    for scored in table.scores:
        if scored.binary and len(np.unique(scored.truth)) < 2:
            continue
        groups = {
            (column, value): cells == value
            for column in table.subgroups
            for cells in (table.manifest[column][scored.asked].astype(str),)
            for value in np.unique(cells)
            if value != "" and MIN_GROUP <= (cells == value).sum() < len(cells)
        }
        found = []
        for (column, value), member in groups.items():
            gap = _gap(scored, member)
            if gap is not None:
                found.append((gap, column, value, int(member.sum())))
        if not found:
            continue
        # of those that are worse, the surest; of equally sure ones the worst
        gap, column, value, count = min(found, key=lambda one: (one[0][1] > 0, *one[0][3::-2]))
        if gap[3] * len(found) < LEVEL and gap[1] < 0:
            named = {
                "column": scored.name,
                "subgroup": column,
                "level": _shown(value),
                "count": count,
                "overall": gap[0],
                "what": _metric(scored),
                "groups": len(found),
                "p": gap[3],
                "low": gap[4],
                "high": gap[5],
            }
            yield Measured(gap[0] + gap[1], gap[0], named)


def _shown(value: str) -> str:
    """Return a level that names a kind of sample; longer text may name a person."""
    return repr(str(value)) if len(value) <= 24 else "one of its levels"


def _metric(scored: Scored) -> str:
    return "AUC" if scored.binary else "mean absolute error, negated"


def _weighted(scored: Scored, rows: np.ndarray) -> Weighted:
    """Return the value of some samples, by how often each is drawn."""
    if scored.binary:
        return auroc_of(scored.predicted[rows], scored.truth[rows] > 0)
    return mean_of(-np.abs(scored.predicted[rows] - scored.truth[rows]))


def _gap(
    scored: Scored, member: np.ndarray
) -> tuple[float, float, float, float, float, float] | None:
    """Return the value of the others, the gap to it, p, and the interval of the group's value.

    People are resampled. The gap is the group's value minus that of all others.
    """
    rows = np.random.default_rng(0).permutation(len(member))[:RESAMPLED]
    people = np.unique(scored.patient[rows], return_inverse=True)[1]
    sides = [(member[rows] == side, _weighted(scored, rows[member[rows] == side])) for side in BOTH]
    everyone = np.ones((1, len(rows)))
    own, others = (float(value(everyone[:, side])[0]) for side, value in sides)
    drawn = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for counts in drawn_counts(people, resamples=DRAWS, seed=1):
            drawn.append(np.stack([value(counts[:, side]) for side, value in sides], axis=1))
    pairs = np.concatenate(drawn)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if not np.isfinite([own, others]).all() or len(pairs) < DRAWS / 2:
        return None
    gaps = pairs[:, 0] - pairs[:, 1]
    # of a normal, because hundreds of draws cannot tell the small p that many groups need
    deviation = max(float(gaps.std()), 1e-12)
    p = _two_sided((own - others) / deviation)
    low, high = np.percentile(pairs[:, 0], [2.5, 97.5])
    return others, own - others, own, p, float(low), float(high)


def _two_sided(z: float) -> float:
    from math import erfc, sqrt

    return erfc(abs(z) / sqrt(2))


def _by_machine(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    for scored in table.scores if table else ():
        assert table is not None
        if len(scored.truth) < MIN_ITEMS or len(np.unique(scored.truth)) < 2:
            continue
        found = _from_metadata(table, scored)
        if found is None:
            continue
        alone, own = found
        chance = 0.5 if scored.binary else 0.0
        known = (alone - chance) / (1 - chance)
        if known > MIN_KNOWN and alone >= own - 0.5 * max(own - chance, 0.0):
            named = {"column": scored.name, "truth": scored.truth_name, "own": own}
            named |= {"what": "AUC" if scored.binary else "R²", "items": len(scored.truth)}
            named |= {"columns": ", ".join((*table.metadata, "the order of the manifest"))}
            named |= {"chance": chance}
            yield Measured(alone, chance + MIN_KNOWN * (1 - chance), named)


def _from_metadata(table: Predictions, scored: Scored) -> tuple[float, float] | None:
    """Return how well metadata alone tells the truth of people left out, and the predictions do."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold, cross_val_predict

    some = np.sort(np.random.default_rng(0).permutation(len(scored.truth))[:RESAMPLED])
    inputs = _inputs(table, scored.asked[some])
    truth, people = scored.truth[some], scored.patient[some]
    folds = GroupKFold(min(5, len(np.unique(people))), shuffle=True, random_state=0)
    if folds.n_splits < 2:
        return None
    kind = HistGradientBoostingClassifier if scored.binary else HistGradientBoostingRegressor
    model = kind(max_iter=20, max_leaf_nodes=8, random_state=0)
    method = "predict_proba" if scored.binary else "predict"
    told = cross_val_predict(model, inputs, truth, groups=people, cv=folds, method=method)
    predicted = scored.predicted[some]
    if scored.binary:
        return auroc(told[:, 1], truth > 0), auroc(predicted, truth > 0)
    return _r2(told, truth), _r2(predicted, truth)


def _r2(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(1 - ((predicted - truth) ** 2).mean() / truth.var())


def _inputs(table: Predictions, asked: np.ndarray) -> Float[np.ndarray, "item column"]:
    """Return metadata as numbers, levels by their place, and the place in the manifest."""
    columns = [asked.astype(np.float64)]
    for name in table.metadata:
        cells = table.manifest[name].astype(str)
        try:
            values = np.where(cells == "", "nan", cells).astype(np.float64)
        except ValueError:
            values = np.unique(cells, return_inverse=True)[1].astype(np.float64)
        columns.append(values[asked])
    return np.stack(columns, axis=1)


WEAK = Rule(
    id="N11",
    name="a subgroup that is served worse",
    severity="warning",
    statement="{column} is worst where {subgroup} is {level}: {what} {value:.3f} "
    "[{low:.3f}, {high:.3f}] over {count} samples, {overall:.3f} over all others.",
    formula="value in the subgroup - value in all others, resampled by people; p {p:.2g}, times "
    "{groups} subgroups (Bonferroni)",
    null="0",
    cause="Few such samples in training, another machine, or another way of labelling.",
    key="--subgroup",
    remedy="report it beside the overall value, with count and interval.",
    next_measurement="The same subgroup at another site, or of another seed.",
    check=_weak,
)
BY_MACHINE = Rule(
    id="N8",
    name="answers that the machine gives",
    severity="warning",
    statement="Metadata alone tells {truth} with {what} {value:.3f}, where {column} has {own:.3f}.",
    formula="gradient boosting on {columns}; people left out, {items} samples",
    null="{chance:g}, chance",
    cause="Label and machine go together in this set: another vendor, site, length or date where "
    "the label is yes.",
    key="--metadata",
    remedy="compare within one machine or site, or match the samples; say both values.",
    next_measurement="The value of the predictions within each level of the strongest column.",
    check=_by_machine,
)
RULES = (WEAK, BY_MACHINE)
