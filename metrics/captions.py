"""The table of a captioner: every score with its interval and beside its baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

import numpy as np
from jaxtyping import Float

from cinelex.core.progress import progress
from cinelex.core.scripts import beyond_ascii, spaced, unspaced
from cinelex.metrics import bleu, cider, rouge
from cinelex.metrics.bootstrap import Groups, per_group, percentiles, resampled_sums
from cinelex.metrics.fact_schemes import FACT_SCHEMES, FactScheme

MAX_SHARE: Final = 0.01
"""Share of letters that a score's tokenizer may not know."""
BLEU_NAMES: Final = tuple(f"bleu{order}" for order in range(1, bleu.ORDERS + 1))
SUFFIX: Final = "_unicode"
"""Behind the name of a score that is read with the letters of every script."""
_BLEU: Final = 2 + 2 * bleu.ORDERS
_ROUGE: Final = _BLEU + len(rouge.NAMES)
_TEXT: Final = _ROUGE + 2
"""Counts of the scores of text: BLEU, ROUGE, CIDEr-D, one; those of facts come after them."""


@dataclass(frozen=True)
class Fit:
    """Which usual scores can be said of reports in their language."""

    rouge_score: bool
    """Their letters are a-z, the only ones that rouge-score reads."""
    blanks: bool
    """Blanks part their words, as BLEU's and CIDEr's tokenizer needs."""

    @classmethod
    def of(cls, references: Sequence[str]) -> "Fit":
        """Return what fits the reports of held-out studies."""
        return cls(beyond_ascii(references) <= MAX_SHARE, unspaced(references) <= MAX_SHARE)

    def reason(self, metric: str) -> str:
        """Return why a score is undefined; empty where it is not."""
        if metric in rouge.NAMES and not self.rouge_score:
            return f"rouge-score reads a-z alone; see {metric}{SUFFIX}"
        if metric.startswith(("bleu", "cider")) and not self.blanks:
            return f"it reads words between blanks, which are none here; see {metric}{SUFFIX}"
        return ""


def caption_counts(
    references: Sequence[str], candidates: Sequence[str], facts: FactScheme
) -> Float[np.ndarray, "study count"]:
    """Return what each study adds to the scores: BLEU counts, ROUGE, CIDEr-D, one, fact counts.

    Raises:
        ValueError: the two differ in length, or are empty.
    """
    fit = Fit.of(references)
    score_rouge = rouge.rouge if fit.rouge_score else rouge.rouge_unicode
    if not fit.blanks:
        references = [spaced(text) for text in references]
        candidates = [spaced(text) for text in candidates]
    ciders = cider.cider_d(references, candidates)
    rows = [
        np.concatenate(
            [
                bleu.bleu_counts(reference, candidate),
                score_rouge(reference, candidate),
                [score, 1.0],
                facts.counts(reference, candidate),
            ]
        )
        for reference, candidate, score in progress(
            zip(references, candidates, ciders, strict=True),
            total=len(references),
            what="captions scored",
        )
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
    baselines: Mapping[str, Sequence[str] | None],
    *,
    facts: str = "coronary",
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score captions and baselines on the same studies and the same bootstrap resamples of them.

    Returns, by the name of the score, `value`, `low` and `high` (95 % interval over studies),
    `variant` (which of the many scores of that name), and under `baselines`, by name, their own
    `value`, `low`, `high` and the `margin` (captions minus baseline, paired by study) with its
    interval. What is undefined is None, as is every interval of a single study, and all of a
    baseline that is None. ``groups`` are drawn together, such as the studies of one patient. Where
    the usual variant of a score cannot read the letters of the references,
    it is None, `undefined` says why, and the score of every script stands behind it, its name with
    `_unicode`. All of it is ready for JSON. ``facts`` names one of ``FACT_SCHEMES``.

    Raises:
        ValueError: captions, references or a baseline differ in length, or are empty.
    """
    scheme, fit = FACT_SCHEMES[facts], Fit.of(references)
    drawing: _Drawing = {"groups": groups, "resamples": resamples, "seed": seed}
    own, own_draws = _score(references, candidates, scheme, **drawing)
    undefined = dict.fromkeys(own, np.nan), {name: np.empty(0) for name in own}
    others = {
        name: undefined if texts is None else _score(references, texts, scheme, **drawing)
        for name, texts in progress(
            baselines.items(), total=len(baselines), what="captions of baselines"
        )
    }
    report: dict[str, Any] = {}
    for metric, value in own.items():
        reason = fit.reason(metric)
        if reason:
            nothing = _entry(np.nan, np.empty(0))
            nulls = {name: {**nothing, "margin": nothing} for name in baselines}
            said = {"variant": _variant_of(metric, scheme), "undefined": reason}
            report[metric] = {**nothing, **said, "baselines": nulls}
        name = f"{metric}{SUFFIX}" if reason else metric
        report[name] = {
            **_entry(value, own_draws[metric]),
            "variant": _variant_of(name, scheme),
            "baselines": {
                other: {
                    **_entry(values[metric], draws[metric]),
                    "margin": _margin(value - values[metric], own_draws[metric], draws[metric]),
                }
                for other, (values, draws) in others.items()
            },
        }
    return report


class _Drawing(TypedDict):
    """What decides the resamples."""

    groups: Groups | None
    resamples: int
    seed: int


def _variant_of(metric: str, facts: FactScheme) -> str:
    """Return which of the many scores that share a name this one is."""
    plain = metric.removesuffix(SUFFIX)
    for names, kind in ((BLEU_NAMES, bleu), (rouge.NAMES, rouge), (("cider",), cider)):
        if plain in names:
            return kind.VARIANT if plain == metric else kind.UNICODE
    return facts.variant


def _score(
    references: Sequence[str],
    candidates: Sequence[str],
    facts: FactScheme,
    *,
    groups: Groups | None,
    resamples: int,
    seed: int,
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return each score, and its value in every resample; equal seeds draw equal resamples."""
    counts = caption_counts(references, candidates, facts)
    whole = caption_scores(counts.sum(axis=0), facts)
    values = {name: float(score) for name, score in whole.items()}
    counts = per_group(counts, groups)
    if len(counts) < 2:
        return values, {name: np.empty(0) for name in values}
    draws = resampled_sums(counts, resamples=resamples, seed=seed)
    return values, caption_scores(draws, facts)


def _margin(value: float, own: np.ndarray, other: np.ndarray) -> dict[str, float | None]:
    """Return a difference and its interval, paired by resample."""
    return _entry(value, own - other if len(own) == len(other) else np.empty(0))


def _entry(value: float, draws: np.ndarray) -> dict[str, float | None]:
    """Return a value and its interval; no interval where the value itself is undefined."""
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = percentiles(draws[np.isfinite(draws)])
    return {"value": value, "low": low, "high": high}
