"""The table of a captioner: every score with its interval and beside its baselines."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from cinelex.metrics import bleu, cider, rouge
from cinelex.metrics.bootstrap import percentiles, resampled_sums
from cinelex.metrics.fact_schemes import FACT_SCHEMES, FactScheme

_BLEU: Final = 2 + 2 * bleu.ORDERS
_ROUGE: Final = _BLEU + len(rouge.NAMES)
_TEXT: Final = _ROUGE + 2
"""Counts of the scores of text: BLEU, ROUGE, CIDEr-D, one; those of facts come after them."""


def caption_counts(
    references: Sequence[str], candidates: Sequence[str], facts: FactScheme
) -> Float[np.ndarray, "study count"]:
    """Return what each study adds to the scores: BLEU counts, ROUGE, CIDEr-D, one, fact counts.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    ciders = cider.cider_d(references, candidates)
    rows = [
        np.concatenate(
            [
                bleu.bleu_counts(reference, candidate),
                rouge.rouge(reference, candidate),
                [score, 1.0],
                facts.counts(reference, candidate),
            ]
        )
        for reference, candidate, score in zip(references, candidates, ciders, strict=True)
    ]
    return np.stack(rows)


def caption_scores(
    sums: Float[np.ndarray, "*batch count"], facts: FactScheme
) -> dict[str, Float[np.ndarray, "*batch"]]:
    """Return every score of counts that were summed over studies; NaN where undefined."""
    studies = sums[..., _TEXT - 1]
    scores = {f"bleu{n}": bleu.bleu(sums[..., :_BLEU], order=n) for n in range(1, bleu.ORDERS + 1)}
    scores |= {name: sums[..., _BLEU + index] / studies for index, name in enumerate(rouge.NAMES)}
    cider_d = sums[..., _ROUGE] / studies
    scores["cider"] = np.where(studies > 1, cider_d, np.nan)
    return {**scores, **facts.rates(sums[..., _TEXT:])}


def caption_report(
    references: Sequence[str],
    candidates: Sequence[str],
    baselines: Mapping[str, Sequence[str]],
    *,
    facts: str = "coronary",
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score captions and baselines on the same studies and the same bootstrap resamples of them.

    Returns, by the name of the score, `value`, `low` and `high` (95 % interval over studies),
    `variant` (which of the many scores of that name), and under `baselines`, by name, their own
    `value`, `low`, `high` and the `margin` (captions minus baseline, paired by study) with its
    interval. What is undefined is None, as is every interval of a single study. All of it is
    ready for JSON. ``facts`` names one of ``FACT_SCHEMES``.

    Raises:
        ValueError: captions, references or a baseline differ in length, or are empty.
    """
    scheme = FACT_SCHEMES[facts]
    own, own_draws = _score(references, candidates, scheme, resamples=resamples, seed=seed)
    others = {
        name: _score(references, texts, scheme, resamples=resamples, seed=seed)
        for name, texts in baselines.items()
    }
    return {
        metric: {
            **_entry(value, own_draws[metric]),
            "variant": _variant_of(metric, scheme),
            "baselines": {
                name: {
                    **_entry(values[metric], draws[metric]),
                    "margin": _entry(value - values[metric], own_draws[metric] - draws[metric]),
                }
                for name, (values, draws) in others.items()
            },
        }
        for metric, value in own.items()
    }


def _variant_of(metric: str, facts: FactScheme) -> str:
    """Return which of the many scores that share a name this one is."""
    if metric.startswith("bleu"):
        return bleu.VARIANT
    if metric in rouge.NAMES:
        return rouge.VARIANT
    return cider.VARIANT if metric == "cider" else facts.variant


def _score(
    references: Sequence[str],
    candidates: Sequence[str],
    facts: FactScheme,
    *,
    resamples: int,
    seed: int,
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return each score, and its value in every resample; equal seeds draw equal resamples."""
    counts = caption_counts(references, candidates, facts)
    whole = caption_scores(counts.sum(axis=0), facts)
    values = {name: float(score) for name, score in whole.items()}
    if len(counts) < 2:
        return values, {name: np.empty(0) for name in values}
    draws = resampled_sums(counts, resamples=resamples, seed=seed)
    return values, caption_scores(draws, facts)


def _entry(value: float, draws: np.ndarray) -> dict[str, float | None]:
    """Return a value and its interval; no interval where the value itself is undefined."""
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = percentiles(draws[np.isfinite(draws)])
    return {"value": value, "low": low, "high": high}
