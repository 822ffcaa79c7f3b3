"""Whether samples of one label lie together, beside the same samples with shuffled labels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

SHUFFLES = 5


@dataclass(frozen=True)
class Separation:
    """How far the labels are apart in one space."""

    silhouette: float
    """In [-1, 1], higher is better."""
    davies_bouldin: float
    """0 or more, lower is better."""
    shuffled_silhouette: float
    """The silhouette of the same rows under permuted labels: near 0."""
    shuffled_davies_bouldin: float
    """The index of the same rows under permuted labels: large."""


def separation(
    rows: Float[np.ndarray, "sample dim"],
    label: Int[np.ndarray, " sample"],
) -> Separation | None:
    """Return silhouette and Davies-Bouldin index, each beside its mean over shuffled labels.

    None where fewer than two labels have samples, or each sample has a label of its own.

    Source: Rousseeuw 1987, J. Comput. Appl. Math. 20; Davies and Bouldin 1979, IEEE TPAMI 1(2).
    """
    from sklearn.metrics import (  # here, because it takes a second
        davies_bouldin_score,
        silhouette_score,
    )

    if not 2 <= len(np.unique(label)) < len(label):
        return None
    random = np.random.default_rng(0)
    mixed = [random.permutation(label) for _ in range(SHUFFLES)]
    return Separation(
        silhouette=float(silhouette_score(rows, label)),
        davies_bouldin=float(davies_bouldin_score(rows, label)),
        shuffled_silhouette=float(np.mean([silhouette_score(rows, other) for other in mixed])),
        shuffled_davies_bouldin=float(
            np.mean([davies_bouldin_score(rows, other) for other in mixed])
        ),
    )
