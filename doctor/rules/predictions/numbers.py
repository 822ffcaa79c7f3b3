"""N4, N6 and N18: do predicted numbers know anything, spread as the truth does, and mean it?"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Severity
from cinelex.doctor.predictions.table import Predictions, Scored
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.bootstrap import drawn_counts, interval_of_sums, percentiles
from cinelex.metrics.calibration import calibrated_error, calibration_error, calibration_line
from cinelex.metrics.classification import auroc
from cinelex.metrics.weighted import auroc_of

MIN_ITEMS = 100
"""Below, an interval is too wide to say that nothing is known."""
NOTHING_R2, NOTHING_AUC = 0.05, 0.6
"""What the upper end of the interval must stay below for a prediction to know nothing."""
MIN_SPREAD, CONSTANT = 0.5, 0.05
MAX_ERROR = 0.02
DRAWS, DRAWN = 200, 20_000
PROBED = 4_000


def _nothing(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    for scored in table.scores if table else ():
        if len(scored.truth) < MIN_ITEMS or scored.truth.std() == 0:
            continue
        what, value, high, limit = knowledge(scored)
        if high < limit:
            assert table is not None
            named: dict[str, Any] = {"column": scored.name, "truth": scored.truth_name}
            named |= {"what": what}
            named |= {"high": high, "items": len(scored.truth), "cause": _cause(table, scored)}
            yield Measured(value, limit, named)


def knowledge(scored: Scored) -> tuple[str, float, float, float]:
    """Return how well a prediction knows its truth: what, value, upper end, and the limit."""
    if scored.binary:
        low, high = _auc_interval(scored)
        return "AUC", auroc(scored.predicted, scored.truth > 0), high, NOTHING_AUC
    r2, high = _squared_correlation(scored)
    return "R² of the best line", r2, high, NOTHING_R2


def _auc_interval(scored: Scored) -> tuple[float, float]:
    """Return the interval over people, of at most some thousands of samples."""
    rows = np.random.default_rng(0).permutation(len(scored.truth))[:DRAWN]
    area = auroc_of(scored.predicted[rows], scored.truth[rows] > 0)
    people = np.unique(scored.patient[rows], return_inverse=True)[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = [area(counts) for counts in drawn_counts(people, resamples=DRAWS)]
    areas = np.concatenate(drawn)
    low, high = percentiles(areas[np.isfinite(areas)])
    return (0.0, 1.0) if low is None or high is None else (low, high)


def _sums(scored: Scored) -> Float[np.ndarray, "person sum"]:
    predicted = scored.predicted - scored.predicted.mean()
    truth = scored.truth - scored.truth.mean()
    columns = np.stack(
        [np.ones(len(truth)), predicted, truth, predicted**2, truth**2, predicted * truth], axis=1
    )
    people, owner = np.unique(scored.patient, return_inverse=True)
    sums = np.zeros((len(people), columns.shape[1]))
    np.add.at(sums, owner, columns)
    return sums


def _moments(sums: Float[np.ndarray, "resample sum"]) -> tuple[np.ndarray, ...]:
    """Return both variances and the covariance."""
    count, predicted, truth, predicted2, truth2, product = sums.T
    return (
        predicted2 / count - (predicted / count) ** 2,
        truth2 / count - (truth / count) ** 2,
        product / count - predicted * truth / count**2,
    )


def _spread_of(sums: np.ndarray) -> np.ndarray:
    predicted, truth, _ = _moments(sums)
    return np.asarray(np.sqrt(np.maximum(predicted, 0) / truth))


def _r2_of(sums: np.ndarray) -> np.ndarray:
    predicted, truth, together = _moments(sums)
    return np.asarray(together**2 / np.maximum(predicted * truth, 1e-300))


def _squared_correlation(scored: Scored) -> tuple[float, float]:
    sums = _sums(scored)
    _, high = interval_of_sums(sums, statistic=_r2_of)
    return float(_r2_of(sums.sum(axis=0, keepdims=True))[0]), 1.0 if high is None else high


def _cause(table: Predictions, scored: Scored) -> str:
    """Return what a line fitted to the embeddings says, where there are embeddings."""
    best: tuple[float, str] | None = None
    for vectors in table.vectors:
        found = _closed_form(vectors.sketch.rows[scored.row], scored)
        if best is None or found > best[0]:
            best = (found, vectors.name)
    if best is not None and best[0] > 2 * NOTHING_R2:
        return (
            f"A line fitted to a sketch of {best[1]} explains {best[0]:.2f} of the variance on "
            "people left out: the head's weights never arrived, or its rows are others'."
        )
    return "The weights of the head never arrived, or its rows lie under other ids."


def _closed_form(rows: Float[np.ndarray, "item dim"], scored: Scored) -> float:
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import GroupKFold, cross_val_predict

    some = np.random.default_rng(0).permutation(len(rows))[:PROBED]
    groups = scored.patient[some]
    folds = GroupKFold(min(5, len(np.unique(groups))))
    line = RidgeCV(alphas=np.logspace(-2, 3, 6))
    truth = scored.truth[some]
    predicted = cross_val_predict(line, rows[some], truth, groups=groups, cv=folds)
    return float(1 - ((truth - predicted) ** 2).mean() / max(float(truth.var()), 1e-300))


def _to_the_mean(evidence: Evidence) -> Iterator[Measured]:
    for scored in evidence.table.scores if evidence.table else ():
        if scored.binary or len(scored.truth) < MIN_ITEMS or scored.truth.std() == 0:
            continue
        sums = _sums(scored)
        _, high = interval_of_sums(sums, statistic=_spread_of)
        value = float(_spread_of(sums.sum(axis=0, keepdims=True))[0])
        predicted, truth, together = _moments(sums.sum(axis=0, keepdims=True))
        if high is not None and high < MIN_SPREAD:
            named = {"column": scored.name, "truth": scored.truth_name, "high": high}
            named |= {"slope": float(together[0] / truth[0]), "items": len(scored.truth)}
            severity: Severity = "error" if high < CONSTANT else "warning"
            yield Measured(value, MIN_SPREAD, named, severity)


def _uncalibrated(evidence: Evidence) -> Iterator[Measured]:
    for scored in evidence.table.scores if evidence.table else ():
        if not scored.probability or len(scored.truth) < MIN_ITEMS:
            continue
        some = np.random.default_rng(0).permutation(len(scored.truth))[:DRAWN]
        probability, there = scored.predicted[some], scored.truth[some] > 0
        error = calibration_error(probability, there)
        mean, _, high = calibrated_error(probability)
        if high is not None and error > high and error > MAX_ERROR:
            slope, intercept = calibration_line(probability, there)
            named = {"column": scored.name, "truth": scored.truth_name, "mean": mean}
            named |= {"slope": slope, "intercept": intercept, "items": len(some)}
            named |= {"share": float(there.mean()), "said": float(probability.mean())}
            yield Measured(error, high, named)


NOTHING = Rule(
    id="N4",
    name="predictions that know nothing",
    statement="{column} says nothing of {truth}: {what} {value:.3f}, at most {high:.3f}, over "
    "{items} samples.",
    formula="AUC, or the squared correlation; upper end of the 95 % interval over people",
    null="AUC 0.5; R² 0 for any constant and for a fresh head",
    cause="{cause}",
    key="TABLE",
    remedy="load the head strictly: every tensor of it from the file, and none left over. End with "
    "an error where one is missing.",
    next_measurement="The same predictions from a head with fresh weights: equal ones settle it.",
    check=_nothing,
)
TO_THE_MEAN = Rule(
    id="N6",
    name="regression to the mean",
    severity="warning",
    statement="The predictions of {column} spread {value:.2f} times as far as {truth} does (at "
    "most {high:.2f}); their slope is {slope:.2f}.",
    formula="sd(prediction) / sd(truth), interval over people; slope = cov / var(truth); {items} "
    "samples",
    null="1; 0 for a constant",
    cause="The model answers near the mean: it knows little, or is regularised too far.",
    key="TABLE",
    remedy="report slope and limits of agreement beside the mean error, which hides this.",
    next_measurement="The mean error beside that of the mean.",
    check=_to_the_mean,
)
UNCALIBRATED = Rule(
    id="N18",
    name="probabilities that are not what they say",
    severity="warning",
    statement="The probabilities of {column} are {value:.3f} off the shares of {truth} on average "
    "(a calibrated model: {mean:.3f}); slope {slope:.2f}, intercept {intercept:+.2f}; said "
    "{said:.3f}, found {share:.3f}.",
    formula="expected calibration error over 10 bins of equal numbers; {items} samples; logistic "
    "regression of the truth on the logit",
    null="what the same probabilities would score if they were true, upper end of 95 %",
    cause="The set has another share of positives than the training had, or the model is "
    "overconfident.",
    key="TABLE",
    remedy="recalibrate on validation samples (temperature or Platt), never on these.",
    next_measurement="Slope and intercept by site.",
    check=_uncalibrated,
)
RULES = (NOTHING, TO_THE_MEAN, UNCALIBRATED)
