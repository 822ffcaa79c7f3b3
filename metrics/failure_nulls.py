"""What duplicates and chance alone make of a batch and of a ranking.

The nulls of losses and of healthy embeddings are in ``cinelex.metrics.nulls``, those of rankings in
``cinelex.metrics.retrieval_nulls``.
"""

from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor


def same_report_in_batch(copies: Sequence[int], *, batch: int) -> float:
    """Return how many others of a random batch have a study's report, on average over studies.

    (N - 1)/(n - 1) times the mean over studies of the copies besides its own. A loss that takes
    them for negatives has as many false negatives a row.

    Args:
        copies: For each different report, how many of the n studies have it.
        batch: Studies of a batch, N, drawn without replacement.

    Raises:
        ValueError: if a report has no study, or the batch does not fit the studies.
    """
    studies = sum(copies)
    if not copies or min(copies) < 1 or not 1 <= batch <= studies:
        raise ValueError(f"a batch of {batch} does not fit {studies} studies, or a report has none")
    if studies == 1:
        return 0.0
    others = sum(count * (count - 1) for count in copies) / studies
    return others * (batch - 1) / (studies - 1)


def duplicate_floor(positive: Bool[Tensor, "study report"]) -> float:
    """Return the least InfoNCE (``out`` form), in nats, of a batch with these positives.

    With m_i positives a row's softmax can do no better than share itself among them: ln m_i. The
    mean over rows and columns is the floor at temperature 0.

    Raises:
        ValueError: if a row or a column has no positive.
    """
    rows, columns = positive.sum(dim=1).double(), positive.sum(dim=0).double()
    if float(rows.min()) < 1 or float(columns.min()) < 1:
        raise ValueError("every study and every report needs a positive")
    return float((rows.log().mean() + columns.log().mean()) / 2)


def greatest_chance_recall(queries: int, gallery: int) -> float:
    """Return the recall at 1 that a random ranking does not exceed with 97.5 % confidence.

    A quantile of the binomial with one trial a query and success 1/gallery.

    Raises:
        ValueError: if there is no query or no gallery.
    """
    from scipy.stats import binom  # here, because it takes a second

    if queries < 1 or gallery < 1:
        raise ValueError(f"recall needs queries and a gallery, not {queries} and {gallery}")
    return float(binom.ppf(0.975, queries, 1 / gallery)) / queries
