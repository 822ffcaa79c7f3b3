"""By how much probabilities are too bold, and too high."""

import numpy as np
from jaxtyping import Bool, Float

STEPS = 50
EDGE = 1e-6
MAX_LOGIT = 30.0


def recalibration(
    probability: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> tuple[float, float]:
    """Return slope and intercept of the logistic regression of the outcome on the logit.

    A calibrated model has slope 1 and intercept 0; a slope below 1 is overconfidence. NaN where
    the outcome is always the same.

    Source: Cox 1958, Biometrika 45(3/4), "Two further applications of a model for binary
    regression".
    """
    if there.all() or not there.any():
        return float("nan"), float("nan")
    safe = probability.clip(EDGE, 1 - EDGE)
    inputs = np.stack([np.log(safe / (1 - safe)), np.ones(len(safe))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(STEPS):
        predicted = 1 / (1 + np.exp(-(inputs @ weights).clip(-MAX_LOGIT, MAX_LOGIT)))
        curvature = (inputs * (predicted * (1 - predicted))[:, None]).T @ inputs
        step = np.linalg.lstsq(curvature, inputs.T @ (there - predicted), rcond=None)[0]
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])
