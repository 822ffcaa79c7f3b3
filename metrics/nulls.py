"""What each loss and statistic would be at chance, at collapse, or for a constant answer."""

import math

import numpy as np
from jaxtyping import Bool, Int
from torch import Tensor


def infonce_chance(studies: int) -> float:
    """Return InfoNCE, in nats, of a model that scores all reports alike: ln of the global batch.

    Holds with duplicate reports too, in the ``out`` form (mean over the positives outside the
    logarithm), as long as no pair is excluded.
    """
    _require_studies(studies)
    return math.log(studies)


def infonce_chance_of(
    positive: Bool[Tensor, "study report"], excluded: Bool[Tensor, "study report"]
) -> float:
    """Return symmetric InfoNCE, in nats, of a model that scores all pairs of this batch alike.

    With m_i the pairs of row i that are not excluded, a row costs LSE_j 0 - mean_P 0 = ln m_i
    in the ``out`` form, however many positives it has; columns likewise.

    Args:
        positive: True where study and report belong together (every row and column has one).
        excluded: True where the pair is no negative (same patient); never True on a positive.

    Raises:
        ValueError: if a row or column has no positive, or a positive is excluded.
    """
    _check_pairs(positive, excluded)
    allowed = ~excluded
    rows = allowed.sum(dim=1).double().log().mean()
    columns = allowed.sum(dim=0).double().log().mean()
    return float((rows + columns) / 2)


def infonce_in_chance_of(
    positive: Bool[Tensor, "study report"], excluded: Bool[Tensor, "study report"]
) -> float:
    """Return symmetric MIL-NCE (``in`` form) of a model that scores all pairs alike, in nats.

    A row costs minus the logarithm of its positives' share: ln(m_i / |P_i|).

    Raises:
        ValueError: if a row or column has no positive, or a positive is excluded.
    """
    _check_pairs(positive, excluded)
    allowed = ~excluded
    rows = (allowed.sum(dim=1).double() / positive.sum(dim=1)).log().mean()
    columns = (allowed.sum(dim=0).double() / positive.sum(dim=0)).log().mean()
    return float((rows + columns) / 2)


def infonce_floor(studies: int, temperature: float, *, label_smoothing: float = 0.0) -> float:
    """Return the least InfoNCE, in nats, that any unit embeddings reach: ln(1+(N-1)e^(-N/(N-1)/t)).

    Pairs coincide and the N pairs form a regular simplex (cosine -1/(N-1) between any two), which
    needs N - 1 dimensions; with fewer the true floor lies above. Duplicates raise it further. With
    a smoothed target, a share s of it spread over all N, the best margin d between own and other
    pairs is finite: ln(1+(N-1)e^-d) + s d (N-1)/N is least at d = ln((N - (N-1) s) / s).

    Raises:
        ValueError: if the temperature is not positive and finite, or there is no study.

    Source: Graf et al. 2021, arXiv:2102.08817, Theorem 1.
    """
    _require_studies(studies)
    _require_temperature(temperature)
    if studies == 1:
        return 0.0
    others, margin = studies - 1, (1 / (studies - 1) + 1) / temperature
    if label_smoothing:
        margin = min(margin, math.log((studies - others * label_smoothing) / label_smoothing))
    spread = label_smoothing * margin * others / studies
    return math.log1p(others * math.exp(-margin)) + spread


def supcon_collapsed(samples: int, *, anchors: float = 1.0, itself: bool = False) -> float:
    """Return the supervised contrastive loss, in nats, when all rows are equal.

    Every anchor's softmax is even over the samples that it is compared with: B - 1 others, so the
    mean over the anchors is ln(B - 1). Implementations that keep the pair of a sample with itself
    and divide by all samples get ln B times the share that has a positive.

    Args:
        samples: samples of the global batch, B.
        anchors: share of the samples that have a positive; only it decides the second form.
        itself: the second form: self-pairs kept, mean over all samples.

    Source: Khosla et al. 2020, arXiv:2004.11362, equation 2.
    """
    _require_studies(samples)
    if itself:
        return math.log(samples) * anchors
    return math.log(samples - 1) if samples > 1 and anchors > 0 else 0.0


def sigmoid_start(studies: int, *, bias: float | None = None, positives: float = 1.0) -> float:
    """Return the sigmoid (SigLIP) loss per study, in nats, when every cosine is 0.

    With P positives of N reports and bias b: P softplus(-b) + (N - P) softplus(b). Left out, the
    bias is the best constant, -ln((N-P)/P); with P = 1 the loss is then ln N + (N-1) ln(N/(N-1)).

    Args:
        studies: studies of the global batch, N.
        bias: the bias that is added to every logit.
        positives: mean number of reports that belong to a study (duplicates make it exceed 1).

    Raises:
        ValueError: if there are not more studies than positives and no bias is given.

    Source: Zhai et al. 2023, arXiv:2303.15343, Section 3.2 (their sum over pairs, divided by N).
    """
    _require_studies(studies)
    if bias is None:
        if studies <= positives:
            raise ValueError(f"no finite best bias: {positives} positives of {studies} reports")
        bias = -math.log((studies - positives) / positives)
    return positives * _softplus(-bias) + (studies - positives) * _softplus(bias)


def sigmoid_chance_of(
    positive: Bool[Tensor, "study report"], excluded: Bool[Tensor, "study report"]
) -> float:
    """Return the sigmoid (SigLIP) loss per study of this batch, in nats, of the best constant.

    With P pairs that belong together of M that are not excluded, every logit ln(P/(M-P)) costs
    (P ln(M/P) + (M-P) ln(M/(M-P))) / N; 0 where all pairs belong together.

    Raises:
        ValueError: if a row or column has no positive, or a positive is excluded.
    """
    _check_pairs(positive, excluded)
    together, judged = int(positive.sum()), int((~excluded).sum())
    apart = judged - together
    cost = together * math.log(judged / together)
    if apart:
        cost += apart * math.log(judged / apart)
    return cost / len(positive)


def sigmoid_floor(studies: int, temperature: float) -> float:
    """Return the least sigmoid (SigLIP) loss per study, in nats, of unit embeddings and any bias.

    Pairs coincide on a regular simplex, so that a positive's logit stands g = N/(N-1)/t above
    each negative's y, and the least of softplus(-(y + g)) + (N - 1) softplus(y) over y remains.

    Raises:
        ValueError: if the temperature is not positive and finite, or there is no study.

    Source: Lee et al. 2024, arXiv:2402.12613, Theorem 1, with the bias left free.
    """
    _require_studies(studies)
    _require_temperature(temperature)
    if studies == 1:
        return 0.0
    from scipy import optimize, special  # here, because they take half a second

    others = studies - 1
    gap = studies / others / temperature

    def slope(y: float) -> float:
        return float(others * special.expit(y) - special.expit(-(y + gap)))

    best = optimize.brentq(slope, -gap - math.log(others) - 1.0, 1.0, xtol=1e-15)
    return _softplus(-(best + gap)) + others * _softplus(best)


def captioning_chance(vocabulary: int) -> float:
    """Return the cross-entropy per token, in nats, of a uniform guess: ln of the vocabulary."""
    if vocabulary < 1:
        raise ValueError(f"a vocabulary has at least one token, not {vocabulary}")
    return math.log(vocabulary)


def captioning_unigram(counts: Int[np.ndarray, " vocab"]) -> float:
    """Return the cross-entropy per token, in nats, of the best answer that ignores all context.

    It is the entropy of the token frequencies; tokens that never occur cost nothing.

    Raises:
        ValueError: if a count is negative or all are 0.
    """
    if (counts < 0).any() or counts.sum() == 0:
        raise ValueError("token counts must be non-negative and not all 0")
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def uniformity_of_random_directions(dim: int) -> float:
    """Return ln E exp(-2 |x - y|^2) for independent uniform directions; 0 is total collapse.

    E exp(-4 + 4 x.y) = e^-4 0F1(; d/2; 4), which tends to e^-4, uniformity -4, with the dimension.

    Raises:
        ValueError: if the dimension is below 1.

    Source: Wang and Isola 2020, arXiv:2005.10242, Equation 2, with t = 2.
    """
    if dim < 1:
        raise ValueError(f"dimension must be at least 1, not {dim}")
    from scipy import special

    return math.log(special.hyp0f1(dim / 2, 4.0)) - 4.0


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _require_temperature(temperature: float) -> None:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be positive and finite, not {temperature}")


def _require_studies(studies: int) -> None:
    if studies < 1:
        raise ValueError(f"a batch has at least one study, not {studies}")


def _check_pairs(positive: Tensor, excluded: Tensor) -> None:
    if not (positive.any(dim=1).all() and positive.any(dim=0).all()):
        raise ValueError("every study and every report needs a positive")
    if (positive & excluded).any():
        raise ValueError("a positive pair cannot be excluded")
