"""D17: do the captions know more than the token before?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule

MIN_GAIN = 0.02
"""Share by which another study's video must make the caption loss worse."""
NEAR = 0.9
"""Share of the bigram's cost below which captions know more than the token before."""


def _no_more_than_a_bigram(evidence: Evidence) -> Iterator[Measured]:
    losses = (evidence.results.get("losses") or {}).get("captioning") or {}
    names = ("value", "other_studys_video", "unigram", "bigram")
    if not all(is_number(losses.get(name)) for name in names):
        return
    own, other, unigram, bigram = (float(losses[name]) for name in names)
    gain = (other - own) / own if own else 0.0
    # worse than the frequencies of tokens, it has not learned the language yet
    if NEAR * bigram <= own < unigram and gain < MIN_GAIN:
        named = {"own": own, "other": other, "unigram": unigram, "bigram": bigram}
        yield Measured(gain, MIN_GAIN, named)


BIGRAM_CAPTIONS = Rule(
    id="D17",
    name="captions of a bigram model",
    statement="The captions cost {own:.3f} nats a token, no less than the {bigram:.3f} of knowing "
    "the token before and no study, and another study's video makes it {other:.3f}.",
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
