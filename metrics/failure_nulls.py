"""What statistics are when a part has failed: collapse to a bias, saturation, constants, chance.

The nulls of losses and of healthy embeddings are in ``cinelex.metrics.nulls``, those of rankings in
``cinelex.metrics.retrieval_nulls``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class BiasCollapse:
    """Statistics of an output that is nothing but the bias that its linear layer started with."""

    std: float
    """Deviation of the numbers of one output."""
    norm: float
    """L2 norm of one output."""
    largest: float
    """Greatest size of a number, which many numbers come close to."""


def collapse_to_bias(dim: int, fan_in: int) -> BiasCollapse:
    """Return what a linear layer's output looks like when only its fresh bias is left of it.

    torch draws the bias of ``nn.Linear`` uniformly from ±1/sqrt(fan_in): deviation
    1/sqrt(3 fan_in), norm sqrt(dim/(3 fan_in)), and largest/deviation close to sqrt(3).

    Raises:
        ValueError: if a size is below 1.
    """
    if dim < 1 or fan_in < 1:
        raise ValueError(f"a linear layer has sizes of at least 1, not {dim} and {fan_in}")
    std = 1 / math.sqrt(3 * fan_in)
    return BiasCollapse(std=std, norm=math.sqrt(dim) * std, largest=math.sqrt(3) * std)


def saturated_mse(targets: Float[np.ndarray, "item dim"], *, bound: float) -> float:
    """Return the mean squared error of a bounded head that gives ``bound`` whatever it sees.

    Variance of the targets plus the squared distance of their mean from the bound; at the mean it
    is ``cinelex.metrics.nulls.constant_mean_mse``.

    Raises:
        ValueError: if there is no target or one is not finite.
    """
    if targets.size == 0 or not np.isfinite(targets).all():
        raise ValueError("targets must be finite, and there must be some")
    exact = targets.astype(np.float64)
    return float((exact.var(axis=0) + (exact.mean(axis=0) - bound) ** 2).mean())


def cosine_rate(done: float, *, peak: float, end: float) -> float:
    """Return the rate after a share ``done`` of half a cosine from ``peak`` to ``end``.

    Past the end it stays at ``end``. The formula itself is periodic: counted in micro-batches, k a
    step, it is back at ``peak`` after 2/k of the run.

    Source: Loshchilov & Hutter 2017, SGDR, arXiv:1608.03983, equation 5.
    """
    if done < 0:
        raise ValueError(f"the share of the run must be at least 0, not {done}")
    return end + (peak - end) * (1 + math.cos(math.pi * min(1.0, done))) / 2


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


def greatest_chance_recall(queries: int, gallery: int, *, confidence: float = 0.975) -> float:
    """Return the recall at 1 that a random ranking does not exceed with this confidence.

    A quantile of the binomial with one trial a query and success 1/gallery.

    Raises:
        ValueError: if there is no query or no gallery.
    """
    from scipy.stats import binom  # here, because it takes a second

    if queries < 1 or gallery < 1:
        raise ValueError(f"recall needs queries and a gallery, not {queries} and {gallery}")
    return float(binom.ppf(confidence, queries, 1 / gallery)) / queries
