"""The closed form that a trained model has to beat: ridge regression from inputs to texts."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Candidates, in units of the mean eigenvalue of the centred kernel."""
FOLDS = 5
ENOUGH_LEFT_OUT, MOST_CUTS = 2000, 10
"""Rows that are left out in all: fewer are cut into folds anew, up to so many times, as the penalty
of a few hundred rows would otherwise depend on the cut."""


class Ridge:
    """Linear regression of centred targets on centred inputs, solved in the dual.

    With K the centred kernel of n training rows, Y their centred targets and a penalty p, a query
    with centred kernel row k is predicted as k (K + p mean(eigenvalues of K))^-1 Y. The dual costs
    n^3 whatever the dimension of the inputs, which for pixels is far above n.

    Source: Saunders, Gammerman, Vovk 1998, "Ridge regression learning algorithm in dual variables".
    """

    def __init__(
        self, kernel: Float[np.ndarray, "row row"], targets: Float[np.ndarray, "row target"]
    ) -> None:
        """Decompose the kernel of the training rows.

        Args:
            kernel: Inner products of the inputs, not centred.
            targets: What is to be predicted, not centred.
        """
        self.row_means, self.mean = kernel.mean(axis=0), float(kernel.mean())
        centred = kernel - self.row_means - self.row_means[:, None] + self.mean
        values, self.vectors = np.linalg.eigh(centred)
        self.values = values.clip(0.0)
        self.projected = self.vectors.T @ (targets - targets.mean(axis=0))

    def predict(
        self, kernel: Float[np.ndarray, "query row"], *, penalty: float
    ) -> Float[np.ndarray, "query target"]:
        """Return centred predictions, given the inner products of queries with training rows."""
        centred = kernel - self.row_means - kernel.mean(axis=1, keepdims=True) + self.mean
        return np.asarray(centred @ self.coefficients(penalty=penalty))

    def coefficients(self, *, penalty: float) -> Float[np.ndarray, "row target"]:
        """Return what each training row counts for each target; 0 where all rows are alike."""
        scale = penalty * self.values.mean()
        weight = 1 / (self.values + scale) if scale else np.zeros_like(self.values)
        return np.asarray(self.vectors @ (weight[:, None] * self.projected))


def ridge_predictions(
    inputs: Float[np.ndarray, "row input"],
    targets: Float[np.ndarray, "row target"],
    queries: Float[np.ndarray, "query input"],
    *,
    groups: Int[np.ndarray, " row"],
    seed: int = 0,
) -> Float[np.ndarray, "query target"]:
    """Return what ridge regression predicts for the queries, minus the mean training target.

    The penalty is chosen on the training rows alone: that of ``PENALTIES`` with the highest mean
    reciprocal rank, both ways, over ``FOLDS`` parts that were left out in turn; few rows are cut
    into parts several times.

    Args:
        inputs: Training rows, one or more.
        targets: Their targets.
        queries: Rows to predict.
        groups: Rows that must not be parted, such as those with one report or one patient.
        seed: Decides the folds.
    """
    kernel = _inner(inputs, inputs)
    penalty = _best_penalty(kernel, targets, groups, seed=seed)
    return Ridge(kernel, targets).predict(_inner(queries, inputs), penalty=penalty)


def ridge_map(
    inputs: Float[np.ndarray, "row input"],
    targets: Float[np.ndarray, "row target"],
    *,
    groups: Int[np.ndarray, " row"],
    seed: int = 0,
) -> tuple[Float[np.ndarray, "input target"], Float[np.ndarray, " target"], float]:
    """Return ridge regression as a matrix, what is added to its products, and the penalty.

    ``queries @ matrix + added`` are the predictions of `ridge_predictions`, whose arguments these
    are.
    """
    kernel = _inner(inputs, inputs)
    penalty = _best_penalty(kernel, targets, groups, seed=seed)
    mean = inputs.mean(axis=0)
    centred = inputs - mean
    solved = Ridge(kernel, targets).coefficients(penalty=penalty).astype(inputs.dtype)
    matrix = centred.T @ solved / inputs.shape[1]
    return matrix, -mean @ matrix, penalty


def _inner(
    first: Float[np.ndarray, "left input"], second: Float[np.ndarray, "right input"]
) -> Float[np.ndarray, "left right"]:
    """Return inner products over the dimension, so that they do not overflow, in double."""
    return np.asarray((first @ second.T) / first.shape[1], dtype=np.float64)


def _best_penalty(
    kernel: Float[np.ndarray, "row row"],
    targets: Float[np.ndarray, "row target"],
    groups: Int[np.ndarray, " row"],
    *,
    seed: int,
) -> float:
    from sklearn.model_selection import GroupKFold  # here, because it takes a second

    folds = min(FOLDS, len(np.unique(groups)))
    if folds < 2:
        return 1.0
    scores = np.zeros(len(PENALTIES))
    parts = [
        part
        for cut in range(min(MOST_CUTS, math.ceil(ENOUGH_LEFT_OUT / len(kernel))))
        for part in GroupKFold(folds, shuffle=True, random_state=seed + cut).split(
            kernel, groups=groups
        )
    ]
    for kept, left_out in parts:
        fitted = Ridge(kernel[np.ix_(kept, kept)], targets[kept])
        truth = targets[left_out] - targets[kept].mean(axis=0)
        _, own = np.unique(groups[left_out], return_inverse=True)
        for index, penalty in enumerate(PENALTIES):
            found = fitted.predict(kernel[np.ix_(left_out, kept)], penalty=penalty)
            scores[index] += _mean_reciprocal_rank(found, truth, own)
    return PENALTIES[int(scores.argmax())]


def _mean_reciprocal_rank(
    found: Float[np.ndarray, "row target"],
    truth: Float[np.ndarray, "row target"],
    own: Int[np.ndarray, " row"],
) -> float:
    """Return the mean over both directions; rows of one group are right for each other."""
    cosines = _unit(found) @ _unit(truth).T
    right = own[:, None] == own
    ranks: Sequence[Float[np.ndarray, " row"]] = [
        1 + ((table > np.where(right, table, -np.inf).max(axis=1)[:, None]) & ~right).sum(axis=1)
        for table in (cosines, cosines.T)
    ]
    return float(np.mean([1 / rank for rank in ranks]))


def _unit(rows: Float[np.ndarray, "row target"]) -> Float[np.ndarray, "row target"]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12))
