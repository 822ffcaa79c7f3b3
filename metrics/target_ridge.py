"""Ridge regression to many targets, each solved on the studies that state it."""

import numpy as np
from jaxtyping import Float

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Candidates, in units of the mean eigenvalue of the inputs' covariance."""


def principal_rows(
    inputs: Float[np.ndarray, "row input"], queries: Float[np.ndarray, "query input"], count: int
) -> tuple[Float[np.ndarray, "row component"], Float[np.ndarray, "query component"]]:
    """Return both on the first principal components of ``inputs``, standardised before if few.

    Inputs of fewer dimensions than ``count`` are standardised and kept; of more, the eigenvectors
    of the kernel of the rows give the components, so that pixels may be many.
    """
    mean = inputs.mean(axis=0)
    first, other = inputs - mean, queries - mean
    if inputs.shape[1] <= count:
        spread = first.std(axis=0)
        scale = np.where(spread > 1e-9, spread, np.inf)
        return first / scale, other / scale
    values, vectors = np.linalg.eigh((first @ first.T).astype(np.float64))
    kept = np.argsort(values)[::-1][: min(count, len(first) - 1)]
    kept = kept[values[kept] > 1e-9 * values.max()]
    axes = first.T @ (vectors[:, kept] / np.sqrt(values[kept]))
    return np.asarray(first @ axes, float), np.asarray(other @ axes, float)


def target_ridge(
    inputs: Float[np.ndarray, "row input"],
    target: Float[np.ndarray, "row column"],
    queries: Float[np.ndarray, "query input"],
) -> Float[np.ndarray, "query column"]:
    """Return what ridge regression predicts, with the penalty of the least leave-one-out error.

    The rows of ``target`` are all known. The error of a row that is left out is that of the fit
    over 1 minus its leverage.

    Source: Allen 1974, "The relationship between variable selection and data augmentation" (PRESS).
    """
    mean, level = inputs.mean(axis=0), target.mean(axis=0)
    rows, wanted = inputs - mean, target - level
    values, axes = np.linalg.eigh(rows.T @ rows)
    values = values.clip(0.0)
    turned, known = rows @ axes, axes.T @ (rows.T @ wanted)
    best, least = np.zeros_like(known), np.inf
    for penalty in PENALTIES:
        weight = 1 / (values + penalty * values.mean() + 1e-12)
        solved = weight[:, None] * known
        leverage = np.clip((turned**2 * weight).sum(axis=1) + 1 / len(rows), 0, 1 - 1e-6)
        error = float((((wanted - turned @ solved) / (1 - leverage)[:, None]) ** 2).mean())
        if error < least:
            best, least = solved, error
    return np.asarray((queries - mean) @ axes @ best + level)
