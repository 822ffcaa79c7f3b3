"""From what heads answer to probabilities and values, fitted on studies held out of training.

Everything here is a few numbers, in closed form, by Newton's method or by linear programming, so
that a hundred validation studies are enough.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

RIDGE: Final = 1e-2
"""Pull of the fitted numbers towards 0, so that scores without an overlap have an answer."""
NEWTON_STEPS: Final = 50
MIN_POINTS: Final = 10
"""Known answers below which nothing is fitted and the heads' own numbers are kept."""
ENOUGH: Final = 4000
"""Known answers, evenly taken, that a line is fitted to: its cost grows with their square."""


@dataclass(frozen=True)
class Presence:
    """The probability that something is there, as a logistic function of a score."""

    slope: float = 1.0
    offset: float = 0.0
    threshold: float = 0.5
    """Probability from which on it is said to be there: the best F1 where it was fitted."""

    def probability(self, score: Float[np.ndarray, "*axes"]) -> Float[np.ndarray, "*axes"]:
        """Return the probability of each score."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.slope * score + self.offset, -30, 30))))

    @classmethod
    def fit(cls, score: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]) -> "Presence":
        """Fit slope and offset by maximum likelihood, and choose the threshold.

        Source: Platt 1999, Probabilistic outputs for support vector machines, section 2.
        """
        if min(there.sum(), (~there).sum()) < MIN_POINTS:
            return cls()
        design = np.stack([score, np.ones_like(score)], axis=1).astype(np.float64)
        numbers = np.zeros(2)
        for _ in range(NEWTON_STEPS):
            chance = 1 / (1 + np.exp(-np.clip(design @ numbers, -30, 30)))
            slope = design.T @ (there - chance) - RIDGE * numbers
            bend = (design * (chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(2)
            numbers = numbers + np.linalg.solve(bend, slope)
        fitted = cls(float(numbers[0]), float(numbers[1]))
        threshold = best_threshold(fitted.probability(score), there)
        return cls(fitted.slope, fitted.offset, threshold)


def best_threshold(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> float:
    """Return the threshold of the best F1, in the middle between two neighbouring probabilities."""
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(there[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + there.sum())
    best = int(f1.argmax())
    chosen = probability[order[best]]
    after = probability[order[best + 1]] if best + 1 < len(order) else 0.0
    return float((chosen + after) / 2)


@dataclass(frozen=True)
class Scale:
    """A value as a weighted sum of what the heads say of it, bent a little.

    The sum undoes bias and shrinkage; the bend, that heads shrink most at the ends of the range.
    """

    slopes: tuple[float, ...]
    offset: float = 0.0
    bend: float = 0.0
    """Weight of the square of the answers' mean."""

    def value(self, answers: Float[np.ndarray, "*axes answer"]) -> Float[np.ndarray, "*axes"]:
        """Return the value of each row of answers."""
        line = answers @ np.array(self.slopes) + self.offset
        return np.asarray(line + self.bend * answers.mean(axis=-1) ** 2)

    @classmethod
    def fit(
        cls, answers: Float[np.ndarray, "item answer"], truth: Float[np.ndarray, " item"]
    ) -> "Scale":
        """Fit by least absolute errors: the median of the truth given the answers.

        A stated number is right or wrong, and a few answers are far off (a narrowing behind an
        occlusion): the mean would follow these and miss the others by a step.
        With too few answers the last kind of them is taken as it is.
        """
        from sklearn.linear_model import QuantileRegressor

        kinds = answers.shape[1]
        if len(answers) < MIN_POINTS * (kinds + 1):
            return cls((0.0,) * (kinds - 1) + (1.0,))
        some = slice(None, None, -(-len(answers) // ENOUGH))
        # in units of its own spread: the program's tolerances are absolute
        square = answers.mean(axis=1) ** 2
        spread = float(square.std()) or 1.0
        design = np.column_stack([answers, square / spread])
        curve = QuantileRegressor(quantile=0.5, alpha=0.0).fit(design[some], truth[some])
        *slopes, bend = curve.coef_.tolist()
        return cls(tuple(slopes), float(curve.intercept_), bend / spread)


def nearest_stated(
    value: Float[np.ndarray, "*axes"], stated: Float[np.ndarray, " number"]
) -> Float[np.ndarray, "*axes"]:
    """Return, of the numbers that reports state, the one nearest to each value."""
    return np.asarray(stated[np.abs(value[..., None] - stated).argmin(axis=-1)])
