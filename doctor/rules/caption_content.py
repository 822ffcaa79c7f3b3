"""D17: do captions differ between studies, and know more of them than the token before does?"""

from collections import Counter
from collections.abc import Iterator, Sequence

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.projects.interface.results import Estimate, Score

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
NEAR = 0.9
"""Share of the bigram's cost below which captions know more than the token before."""
MIN_CAPTIONS = 10
FACT_SCORES = ("lesion_f1_10pp", "number_recall")


def distinct(texts: Sequence[str], *, order: int) -> float:
    """Return the share of all runs of ``order`` words that are different, in (0, 1]; 0 if none.

    Source: Li et al. 2016, arXiv:1510.03055, section 5.
    """
    grams = [
        tuple(words[start : start + order])
        for words in (text.split() for text in texts)
        for start in range(len(words) - order + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 0.0


def identical_share(texts: Sequence[str]) -> float:
    """Return the share of the texts that are the most common one, in (0, 1]."""
    return Counter(texts).most_common(1)[0][1] / len(texts)


def _too_early(evidence: Evidence) -> bool:
    return bool(evidence.steps) and evidence.young


def _loss(evidence: Evidence, *nulls: str) -> list[float]:
    """Return the held-out caption loss and some of its nulls; empty where one is not known."""
    score = evidence.held_out("losses").get("captioning")
    if score is None:
        return []
    found = [score.value, *(score.nulls[name].value for name in nulls if name in score.nulls)]
    values = [value for value in found if value is not None]
    return values if len(values) == 1 + len(nulls) else []


def _learning(evidence: Evidence) -> bool:
    return 0 < evidence.last_step < CAPTION_PATIENCE


def _identical(evidence: Evidence) -> Iterator[Measured]:
    captions = [str(row.get("caption", "")) for row in evidence.captions]
    references = [str(row.get("reference", "")) for row in evidence.captions]
    if _too_early(evidence) or len(captions) < MIN_CAPTIONS:
        return
    share, usual = identical_share(captions), identical_share(references)
    most = usual + MAX_IDENTICAL * (1 - usual)
    if share > most:
        distinct_two = distinct(captions, order=2), distinct(references, order=2)
        named = {"count": len(captions), "usual": 100 * usual, "distinct": distinct_two}
        note = _learning(evidence) and share < CONSTANT
        yield Measured(share, most, named, severity="note" if note else None)


def _blind(evidence: Evidence) -> Iterator[Measured]:
    losses = _loss(evidence, "other_studys_video")
    if _too_early(evidence) or not losses or not losses[0]:
        return
    own, other = losses
    gain = (other - own) / own
    if gain < MIN_GAIN:
        note = _learning(evidence) and abs(gain) > CUT_OFF
        named = {"own": own, "other": other}
        yield Measured(gain, MIN_GAIN, named, severity="note" if note else None)


def _no_more_than_a_bigram(evidence: Evidence) -> Iterator[Measured]:
    losses = _loss(evidence, "other_studys_video", "unigram", "bigram")
    if not losses:
        return
    own, other, unigram, bigram = losses
    gain = (other - own) / own if own else 0.0
    # worse than the frequencies of tokens, it has not learned the language yet
    if NEAR * bigram <= own < unigram and gain < MIN_GAIN:
        named = {"own": own, "other": other, "unigram": unigram, "bigram": bigram}
        yield Measured(gain, MIN_GAIN, named)


def _no_facts(evidence: Evidence) -> Iterator[Measured]:
    scores = evidence.held_out("captioning")
    margins = {name: _margin(scores[name]) for name in FACT_SCORES if name in scores}
    behind = [margin.low is not None and margin.low <= 0 for margin in margins.values()]
    if margins and all(behind) and not _too_early(evidence):
        first, margin = next(iter(margins.items()))
        named = {**vars(margin), "first": first, "names": " and ".join(margins)}
        yield Measured(margin.value or 0.0, 0.0, named)


def _margin(score: Score) -> Estimate:
    """Return by how much a score exceeds that of shuffled captions; undefined if nobody says."""
    shuffled = score.nulls.get("shuffled")
    return shuffled.margin if shuffled and shuffled.margin else Estimate(value=None)


IDENTICAL = Rule(
    id="D17",
    name="one caption for all",
    statement="{percent:.0f} % of {count} held-out studies get the same caption; {usual:.0f} % "
    "of their reports are the same.",
    formula="the most common caption / captions; distinct-2 {distinct[0]:.3f}, of the reports "
    "{distinct[1]:.3f}",
    null="1 for a constant, which can score BLEU-4 0.78 on reports that are mostly normal",
    cause="The decoder has learned the language of the reports but ignores the study.",
    key="loss_weights.captioning",
    remedy="train longer or weigh captioning higher; see whether the gradient reaches the video "
    "encoder (D11).",
    next_measurement="The caption loss with another study's video, in results.json.",
    check=_identical,
)
BLIND = Rule(
    id="D17",
    name="captions blind to the video",
    statement="With another study's video the caption loss is {other:.4f} instead of {own:.4f}: "
    "the caption decoder hardly uses the video.",
    formula="(loss with the neighbour's video - loss) / loss, on held-out studies",
    null="0 for a decoder that never looks",
    cause="The path from the video to the decoder is cut, or tokens alone predict the next.",
    key="model.caption_decoder",
    remedy="check that cross-attention sees the tokens of the study at every position.",
    next_measurement="The same two losses after 500 more steps.",
    check=_blind,
)
NO_FACTS = Rule(
    id="D17",
    name="captions without true findings",
    severity="note",
    statement="The captions state no more true findings of their study than of any other: {names} "
    "do not exceed those of shuffled captions.",
    formula="{first} minus that of shuffled captions; 95 % interval {low:.3g} to {high:.3g}",
    null="0 for captions that fit any study",
    cause="A captioner learns findings last, and text metrics do not show it.",
    key="loss_weights.captioning",
    remedy="read the fact scores, not BLEU or ROUGE; train longer.",
    next_measurement="number_recall beside its shuffled baseline at twice the steps.",
    check=_no_facts,
)
BIGRAM_CAPTIONS = Rule(
    id="D17",
    name="captions of a bigram model",
    statement="The captions cost {own:.3f} nats per token, no less than the {bigram:.3f} of a "
    "bigram model without any study; with another study's video {other:.3f}.",
    formula="(loss with the neighbour's video - loss) / loss, on held-out studies",
    null="0 for a decoder that never looks; knowing token frequencies costs {unigram:.3f}, the "
    "token before {bigram:.3f} nats",
    cause="The latent reaches one position of the caption only, or none, and tokens are predicted "
    "from the one before: the accuracy of a bigram model, not of a captioner.",
    key="model.caption_decoder",
    remedy="let every position, in every block, look at the study (transformer does).",
    next_measurement="The slope of the logits at each position by the latent: 0 is a cut path.",
    check=_no_more_than_a_bigram,
)
