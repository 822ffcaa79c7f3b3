"""D17: do captions differ from study to study, and does the decoder look at the study?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D17"
MAX_IDENTICAL = 0.5
"""Of the studies whose report is not the most common one, the share that may get the caption of
all others."""
MIN_GAIN = 0.02
"""Share by which another study's video must make the caption loss worse."""
CONSTANT = 0.95
"""Share of identical captions from which on they are a constant."""
CUT_OFF = 1e-5
"""Share of the caption loss below which nothing but rounding depends on the video."""
CAPTION_PATIENCE = 500
"""Optimizer steps before which a captioner may still be learning the language of the reports."""
MIN_CAPTIONS = 10
DIAGNOSTICS = ("lesion_f1_10pp", "number_recall")


def caption_content(evidence: Evidence) -> Iterator[Finding]:
    """Look at the texts themselves, then at the two controls: shuffled videos and baselines."""
    if evidence.steps and evidence.young:
        return
    captions = [str(row.get("caption", "")) for row in evidence.captions]
    references = [str(row.get("reference", "")) for row in evidence.captions]
    young = 0 < evidence.last_step < CAPTION_PATIENCE
    if len(captions) >= MIN_CAPTIONS:
        yield from _identical(captions, references, young=young)
    losses = (evidence.results.get("losses") or {}).get("captioning") or {}
    own, other = losses.get("value"), losses.get("other_studys_video")
    if own and other is not None and (other - own) / own < MIN_GAIN:
        yield _blind(own, other, young=young)
    scores = evidence.results.get("captioning") or {}
    behind = [name for name in DIAGNOSTICS if name in scores and _no_better(scores[name])]
    if behind and len(behind) == len([name for name in DIAGNOSTICS if name in scores]):
        yield _no_facts(scores[behind[0]], behind)


def distinct(texts: Sequence[str], *, words: int) -> float:
    """Return the share of all runs of ``words`` words that are different, in (0, 1]; 0 if none.

    Source: Li et al. 2016, arXiv:1510.03055, section 5.
    """
    grams = [
        tuple(tokens[place : place + words])
        for tokens in (text.split() for text in texts)
        for place in range(len(tokens) - words + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0


def identical_share(texts: Sequence[str]) -> float:
    """Return the share of the texts that are the most common one, in (0, 1]."""
    return Counter(texts).most_common(1)[0][1] / len(texts)


def _identical(
    captions: Sequence[str], references: Sequence[str], *, young: bool
) -> Iterator[Finding]:
    share, usual = identical_share(captions), identical_share(references)
    most = usual + MAX_IDENTICAL * (1 - usual)
    if share <= most:
        return
    yield Finding(
        rule=RULE,
        severity="note" if young and share < CONSTANT else "error",
        statement=(
            f"{100 * share:.0f} % of {len(captions)} held-out studies get one and the same "
            f"caption; of their reports {100 * usual:.0f} % are the same."
        ),
        measured=share,
        threshold=most,
        formula=(
            f"the most common caption / captions; distinct-2 {distinct(captions, words=2):.3f}, "
            f"of the reports {distinct(references, words=2):.3f}"
        ),
        null="1 for a constant, which can score BLEU-4 0.78 on reports that are mostly normal",
        cause="The decoder has learned the language of the reports and nothing of the study.",
        key="loss_weights.captioning",
        remedy="train longer or weigh captioning higher; see whether the gradient reaches the "
        "video encoder (D11).",
        next_measurement="The caption loss with another study's video, in results.json.",
    )


def _blind(own: float, other: float, *, young: bool) -> Finding:
    gain = (other - own) / own
    return Finding(
        rule=RULE,
        severity="note" if young and abs(gain) > CUT_OFF else "error",
        statement=(
            f"With another study's video the caption loss is {other:.4f} instead of {own:.4f}: "
            "the captions do not depend on what is seen."
        ),
        measured=gain,
        threshold=MIN_GAIN,
        formula="(loss with the neighbour's video - loss) / loss, on held-out studies",
        null="0 for a decoder that never looks",
        cause="The path from the video to the decoder is cut, or words alone predict the next.",
        key="model.caption_decoder",
        remedy="check that cross-attention sees the tokens of the study at every word.",
        next_measurement="The same two losses after 500 more steps.",
    )


def _no_better(entry: object) -> bool:
    """Return whether a score's interval reaches that of captions given to the wrong studies."""
    low = _margin(entry).get("low")
    return low is not None and low <= 0


def _margin(entry: object) -> Mapping[str, Any]:
    """Return by how much a score exceeds that of shuffled captions; empty if nobody says."""
    baselines = entry.get("baselines") if isinstance(entry, Mapping) else None
    shuffled = (baselines or {}).get("shuffled") or {}
    return shuffled.get("margin") or {}


def _no_facts(entry: object, names: Sequence[str]) -> Finding:
    margin = _margin(entry)
    return Finding(
        rule=RULE,
        severity="note",
        statement=(
            "The captions state no more true findings of their study than of any other: "
            f"{' and '.join(names)} do not exceed those of shuffled captions."
        ),
        measured=margin["value"],
        threshold=0.0,
        formula=f"{names[0]} minus that of shuffled captions; 95 % interval "
        f"{margin['low']:.3g} to {margin['high']:.3g}",
        null="0 for captions that fit any study",
        cause="Findings are the last that a captioner learns; scores of text do not show it.",
        key="loss_weights.captioning",
        remedy="read the fact scores, not BLEU or ROUGE; train longer.",
        next_measurement="number_recall beside its shuffled baseline at twice the steps.",
    )
