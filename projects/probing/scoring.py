"""Every head scored by every metric of its kind, for probes and floors, resampled together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cinelex.metrics.probing import CLASSES, NUMBERS, RANKING, Statistic, best_threshold, ends
from cinelex.projects.interface.results import Estimate, Null, Score
from cinelex.projects.interface.terms import Better
from cinelex.projects.probing.predictions import Said
from cinelex.projects.probing.targets import Target, Targets

LABELS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "balanced_accuracy": "balanced accuracy",
    "mae": "mean absolute error",
    "pearson": "Pearson correlation",
}
FIRST = {
    "binary": "auroc",
    "multiclass": "balanced_accuracy",
    "ordinal": "mae",
    "regression": "mae",
}
"""The metric that tables show of each kind."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What someone says of validation and of test studies."""

    validation: Said
    """Where thresholds are chosen."""
    test: Said


@dataclass(frozen=True)
class Drawn:
    """A metric of a head over the sample itself, first, and over its resamples."""

    head: int
    metric: str
    values: Float[np.ndarray, " resample"]


def draw_scores(
    targets: Targets,
    answers: Answers,
    *,
    truth: Float[np.ndarray, "study head"],
    known_before: Float[np.ndarray, "before head"],
    weights: Float[np.ndarray, "resample study"],
) -> list[Drawn]:
    """Return every metric of every head.

    Args:
        targets: What was asked.
        answers: What was said.
        truth: Targets of the test studies; NaN where open.
        known_before: Those of the validation studies, where thresholds are chosen.
        weights: Resamples of the test studies.
    """
    found = []
    for n, target in enumerate(targets.targets):
        known, before = np.isfinite(truth[:, n]), np.isfinite(known_before[:, n])
        said, wanted, own = answers.test[n][known], truth[known, n], weights[:, known]
        threshold = _threshold(target, answers.validation[n][before], known_before[before, n])
        for metric, statistic, guess in _asked(target, said, wanted, threshold):
            undefined = np.full(len(own), np.nan)
            values = statistic(own, guess, wanted) if len(wanted) else undefined
            found.append(Drawn(n, metric, np.asarray(values)))
    return found


def _threshold(target: Target, said: np.ndarray, wanted: np.ndarray) -> float:
    return best_threshold(said, wanted) if target.kind == "binary" else 0.5


def _asked(
    target: Target, said: np.ndarray, wanted: np.ndarray, threshold: float
) -> list[tuple[str, Statistic, np.ndarray]]:
    """Return each metric of a head's kind with what it compares."""
    if target.kind == "regression":
        return [(name, statistic, said) for name, statistic in NUMBERS.items()]
    if target.kind == "ordinal":
        graded = [(name, statistic, said) for name, statistic in NUMBERS.items()]
        return [*graded, *((name, one, said.round()) for name, one in CLASSES.items())]
    if target.kind == "multiclass":
        return [(name, one, said.argmax(axis=1).astype(float)) for name, one in CLASSES.items()]
    ranked = [(name, statistic, said) for name, statistic in RANKING.items()]
    guess = (said >= threshold).astype(float)
    return [*ranked, *((name, one, guess) for name, one in CLASSES.items())]


def better(metric: str) -> Better:
    """Return which way a metric is better."""
    return "lower" if metric == "mae" else "higher"


def head_scores(
    targets: Targets, probe: str, own: Sequence[Drawn], floors: Mapping[str, Sequence[Drawn]]
) -> list[Score]:
    """Return the scores of a probe, head by head, beside its floors."""
    scores = []
    for place, drawn in enumerate(own):
        target = targets.targets[drawn.head]
        beside = {name: others[place].values for name, others in floors.items()}
        scores.append(
            score_of(
                f"probing.{probe}.{target.name}.{drawn.metric}",
                f"{target.name.replace('_', ' ')}, {LABELS[drawn.metric]}",
                drawn.values,
                beside,
                metric=drawn.metric,
                unit=target.unit if drawn.metric == "mae" else "",
                variant=probe,
            )
        )
    return scores


def mean_scores(
    targets: Targets,
    probe: str,
    own: Sequence[Drawn],
    floors: Mapping[str, Sequence[Drawn]],
    *,
    at: str = "mean",
) -> list[Score]:
    """Return the mean over heads of each metric; errors in deviations of the training studies."""
    scores = []
    for metric, label in LABELS.items():
        if not any(drawn.metric == metric for drawn in own):
            continue
        heads = len({drawn.head for drawn in own if drawn.metric == metric})
        beside = {name: _mean(targets, drawn, metric) for name, drawn in floors.items()}
        scores.append(
            score_of(
                f"probing.{probe}.{at}.{metric}",
                f"{probe.replace('_', ' ')}: {label}, mean over {heads} targets",
                _mean(targets, own, metric),
                beside,
                metric=metric,
                unit="standard deviations" if metric == "mae" else "",
                variant=probe,
                headline=True,
            )
        )
    return scores


def _mean(targets: Targets, drawn: Sequence[Drawn], metric: str) -> Float[np.ndarray, " resample"]:
    """Return the mean over the heads where a resample defines the metric."""
    rows = np.array(
        [
            one.values / (targets.targets[one.head].deviation if metric == "mae" else 1.0)
            for one in drawn
            if one.metric == metric
        ]
    )
    there = np.isfinite(rows)
    counts = there.sum(axis=0)
    total = np.where(there, rows, 0.0).sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def score_of(
    name: str,
    label: str,
    values: Float[np.ndarray, " resample"],
    beside: Mapping[str, Float[np.ndarray, " resample"]],
    *,
    metric: str,
    **about: object,
) -> Score:
    """Return a score with its interval, and each floor with that of the paired difference."""
    low, high = ends(values)
    nulls = {}
    for floor, others in beside.items():
        gap = values - others
        (least, most), (under, over) = ends(gap), ends(others)
        margin = Estimate(value=_number(gap[0]), low=least, high=most)
        nulls[floor] = Null(value=_number(others[0]), low=under, high=over, margin=margin)
    return Score(
        name=name,
        label=label,
        value=_number(values[0]),
        low=low,
        high=high,
        nulls=nulls,
        better=better(metric),
        **about,  # type: ignore[arg-type]
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
