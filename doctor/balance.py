"""Which share of the gradient each loss term has, how sure that is, and what weights change it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

import numpy as np

from cinelex.doctor.evidence import Evidence, is_number

MAX_PROBES = 50
"""Newest probes that a moving average is taken over."""


@dataclass(frozen=True)
class Middle:
    """A mean or a median over probes, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The gradient of each term at the parameters that all share, over the newest probes."""

    shares: Mapping[str, Middle]
    """Of each term: newest weight times gradient norm, as a share of the sum, in [0, 1]."""
    norms: Mapping[str, Middle]
    """Gradient norm of each unweighted term."""
    cosines: Mapping[str, Middle]
    """Of each pair ``a~b``: mean cosine of the two gradients, in [-1, 1], give or take two standard
    errors (nan for one probe), taking the probes for independent; 0 where unrelated."""
    conflicts: Mapping[str, float]
    """Of each pair: share of the probes with a negative cosine, in [0, 1]; 0.5 where unrelated."""
    condition: float
    """Greatest over least singular value of the weighted gradients as rows; 1 where they are
    orthogonal and equally long, infinite where one is a multiple of another."""
    probes: int


def balance(evidence: Evidence) -> Balance | None:
    """Return the balance over the newest probes; None if no step was probed."""
    rows = [row for row in evidence.steps if any(key.startswith("gradient/norm/") for key in row)]
    rows = rows[-MAX_PROBES:]
    terms = [term for term in evidence.terms() if rows and f"gradient/norm/{term}" in rows[-1]]
    rows = [row for row in rows if all(is_number(row.get(f"gradient/norm/{t}")) for t in terms)]
    if not rows or len(terms) < 2:
        return None
    # a weight that is switched on counts at once, at the gradients that its term had all along
    weights = [1.0 if (w := evidence.newest(f"weight/{t}")) is None else w for t in terms]
    weighted = np.array([[row[f"gradient/norm/{t}"] for t in terms] for row in rows]) * weights
    shares = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    pairs = {
        f"{a}~{b}": [float(row[f"gradient/cosine/{a}~{b}"]) for row in rows]
        for a in sorted(terms)
        for b in sorted(terms)
        if a < b and all(is_number(row.get(f"gradient/cosine/{a}~{b}")) for row in rows)
    }
    return Balance(
        shares={term: typical(shares[:, index].tolist()) for index, term in enumerate(terms)},
        norms={t: typical([float(row[f"gradient/norm/{t}"]) for row in rows]) for t in terms},
        cosines={pair: _average(values) for pair, values in pairs.items()},
        conflicts={pair: fmean(value < 0 for value in values) for pair, values in pairs.items()},
        condition=_condition(dict(zip(terms, weighted.mean(axis=0), strict=True)), pairs),
        probes=len(rows),
    )


def suggested_weights(
    norms: Mapping[str, float], target: Mapping[str, float], *, total: float
) -> dict[str, float]:
    """Return weights at which each term has its target share of the weighted gradient norms.

    share_i = w_i g_i / sum_j w_j g_j, so w_i is proportional to target_i / g_i.

    Args:
        norms: Gradient norm of each unweighted term; positive.
        target: The wanted share of each; they sum to 1.
        total: What the weights sum to.

    Raises:
        ValueError: The terms differ, a norm is not positive, or the shares do not sum to 1.
    """
    if norms.keys() != target.keys():
        raise ValueError(f"norms of {sorted(norms)} but shares for {sorted(target)}")
    if min(norms.values()) <= 0 or abs(sum(target.values()) - 1) > 1e-6:
        raise ValueError(f"norms must be positive and shares sum to 1, got {norms} and {target}")
    raw = {name: target[name] / norms[name] for name in norms}
    return {name: total * weight / sum(raw.values()) for name, weight in raw.items()}


def typical(values: Sequence[float]) -> Middle:
    """Return the median with its interval: the order statistics that hold it in 95 % of samples.

    The number of values below the true median is binomial with probability 1/2, whatever the
    distribution; below 6 values the interval is all of them and holds it less often.
    """
    from scipy.stats import binom  # here, because it takes a second

    ordered, count = sorted(values), len(values)
    rank = max(1, int(binom.ppf(0.025, count, 0.5)))
    return Middle(median(ordered), ordered[rank - 1], ordered[count - rank])


def _average(values: Sequence[float]) -> Middle:
    mean = fmean(values)
    reach = 2 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Middle(mean, mean - reach, mean + reach)


def _condition(weighted: Mapping[str, float], pairs: Mapping[str, Sequence[float]]) -> float:
    """Return the condition number of the mean weighted gradients, from lengths and cosines."""
    terms = sorted(weighted)
    gram = np.array(
        [
            [
                weighted[a] * weighted[b] * (1.0 if a == b else _mean_cosine(pairs, a, b))
                for b in terms
            ]
            for a in terms
        ]
    )
    values = np.linalg.eigvalsh(gram)
    return math.sqrt(values[-1] / values[0]) if values[0] > 0 else math.inf


def _mean_cosine(pairs: Mapping[str, Sequence[float]], a: str, b: str) -> float:
    values = pairs.get(f"{min(a, b)}~{max(a, b)}")
    return fmean(values) if values else 0.0
