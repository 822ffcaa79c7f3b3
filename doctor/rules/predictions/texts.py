"""D17: do texts say more than a text that never saw the video?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.table import Told
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.baselines import constant_normal_caption, shuffled
from cinelex.metrics.captions import caption_report

MIN_ITEMS = 30
MAX_ITEMS = 2_000
MAX_SAME = 0.5
SHOWN = ("bleu4", "rougeL", "cider")


def text_report(told: Told) -> dict[str, Any]:
    """Return every score of a text beside those of a constant and of the same texts shuffled."""
    some = np.sort(np.random.default_rng(0).permutation(len(told.texts))[:MAX_ITEMS])
    texts = [told.texts[index] for index in some]
    references = [told.references[index] for index in some]
    constant = [constant_normal_caption(references)] * len(references)
    nulls = {"constant": constant, "shuffled": shuffled(texts, seed=0)}
    return caption_report(references, texts, nulls, resamples=500)


def _blind(evidence: Evidence) -> Iterator[Measured]:
    for told in evidence.table.texts if evidence.table else ():
        if len(told.texts) < MIN_ITEMS:
            continue
        report = text_report(told)
        margins = {
            name: entry["baselines"]["shuffled"]["margin"]
            for name, entry in report.items()
            if entry["value"] is not None and entry["baselines"]["shuffled"]["value"] is not None
        }
        above = [name for name, margin in margins.items() if (margin["low"] or 0.0) > 0]
        if margins and not above:
            worst = max(margins, key=lambda name: margins[name]["value"])
            value = margins[worst]["value"]
            named = {"column": told.name, "metric": worst, "items": len(told.texts)}
            named |= {"scores": len(margins), "beside": _beside(report)}
            yield Measured(value, 0.0, named)


def _beside(report: dict[str, Any]) -> str:
    shown = [name for name in SHOWN if name in report and report[name]["value"] is not None]
    return "; ".join(
        f"{name} {report[name]['value']:.3f}, constant "
        f"{report[name]['baselines']['constant']['value']:.3f}, shuffled "
        f"{report[name]['baselines']['shuffled']['value']:.3f}"
        for name in shown
    )


def _identical(evidence: Evidence) -> Iterator[Measured]:
    for told in evidence.table.texts if evidence.table else ():
        if len(told.texts) < MIN_ITEMS:
            continue
        share = _commonest(told.texts)
        limit = max(MAX_SAME, 2 * _commonest(told.references))
        if share > min(limit, 0.95):
            yield Measured(share, min(limit, 0.95), {"column": told.name})


def _commonest(texts: Sequence[str]) -> float:
    return max(Counter(texts).values()) / len(texts)


BLIND = Rule(
    id="D17",
    name="texts that fit any sample",
    statement="The texts of {column} score no better than the same texts shuffled among the "
    "samples, by none of {scores} scores ({metric} is {value:+.3f}).",
    formula="score - score of the shuffled texts, interval by resampling {items} samples: {beside}",
    null="0: a text that does not depend on the sample",
    cause="The writer does not look at the video, or the texts lie under other ids.",
    key="TABLE",
    remedy="say every score beside the constant and the shuffled one; check the ids.",
    next_measurement="The texts of blank videos.",
    check=_blind,
)
IDENTICAL = Rule(
    id="D17",
    name="one text for most samples",
    severity="warning",
    statement="{percent:.0f} % of the texts of {column} are one and the same.",
    formula="rows with the commonest text / rows",
    null="the same share of the references, twice",
    cause="The writer says what is commonest.",
    key="TABLE",
    remedy="score facts beside words; a constant text has a BLEU too.",
    next_measurement="The scores of that one text for every sample.",
    check=_identical,
)
RULES = (BLIND, IDENTICAL)
