"""D17: do the captions know more than the word before?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding

RULE = "D17"
MIN_GAIN = 0.02
"""Share by which another study's video must make the caption loss worse."""
NEAR = 0.9
"""Share of the bigram's cost below which captions know more than the word before."""


def bigram_captions(evidence: Evidence) -> Iterator[Finding]:
    """Look at held-out caption losses, once the decoder has learned the frequencies of words."""
    losses = (evidence.results.get("losses") or {}).get("captioning") or {}
    names = ("value", "other_studys_video", "unigram", "bigram")
    if not all(is_number(losses.get(name)) for name in names):
        return
    own, other, unigram, bigram = (float(losses[name]) for name in names)
    gain = (other - own) / own if own else 0.0
    if own >= unigram or own < NEAR * bigram or gain >= MIN_GAIN:
        return
    yield Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"The captions cost {own:.3f} nats a word, no less than the {bigram:.3f} of knowing "
            f"the word before and no study, and another study's video makes it {other:.3f}."
        ),
        measured=gain,
        threshold=MIN_GAIN,
        formula="(loss with the neighbour's video - loss) / loss, on held-out studies",
        null=(
            f"0 for a decoder that never looks; knowing word frequencies costs {unigram:.3f}, the "
            f"word before {bigram:.3f} nats"
        ),
        cause=(
            "The latent reaches one position of the caption only, or none, and words are predicted "
            "from the one before: the accuracy of a bigram model, not of a captioner."
        ),
        key="model.caption_decoder",
        remedy="let every position, in every block, look at the study (transformer does).",
        next_measurement="The slope of the logits at each position by the latent: 0 is a cut path.",
    )
