"""A caption cut into pieces, each with a verdict on the facts it states."""

from collections.abc import Sequence

from cinelex.metrics.facts.claims import SENTENCE
from cinelex.metrics.facts.fact import STENOSIS, Fact
from cinelex.metrics.facts.lesions import Lesions, lesions_of, within_tolerance
from cinelex.metrics.facts.parse import leans, parse, read
from cinelex.metrics.facts.segments import spoken
from cinelex.metrics.facts.sentences import sentences_of

Span = dict[str, str]
"""``text`` and ``verdict``: right, wrong, missing or neutral; of a wrong percentage also what the
``reference`` states there."""


def coloured_spans(reference: str, caption: str) -> list[Span]:
    """Cut a caption into sentences and judge each by the facts of the reference.

    A sentence is right if all it states agrees with the reference (a lesion within 10 points in the
    same segment, another fact exactly, a denial of nothing that is there), wrong if anything does
    not, and neutral if it states no fact. What the reference has and the caption does not name is
    appended as missing. Of a sentence, only what the whole caption is understood to say counts.
    """
    truth, reading = lesions_of(read(reference)), read(caption)
    claims = lesions_of(reading)
    spans, before = list[Span](), ""
    for sentence in filter(str.strip, SENTENCE.findall(caption)):
        facts = [fact for fact in _stated(before, sentence) if fact in reading.facts]
        spans.append(
            {"text": sentence, "verdict": _verdict(facts, truth), **_instead(facts, truth)}
        )
        before += sentence
    missing = [_said(fact) for place, fact in truth.positive.items() if not claims.names(place)]
    return spans + [{"text": text, "verdict": "missing"} for text in missing]


def _stated(before: str, sentence: str) -> list[Fact]:
    """Return what a sentence states after others, of whose lesion it may go on to speak."""
    if any(map(leans, sentences_of(sentence)[:1])):
        known = set(parse(before))
        return [fact for fact in parse(before + sentence) if fact not in known]
    # "the remaining vessels" means all of them where the sentence stands alone
    return parse(sentence)


def _verdict(facts: Sequence[Fact], truth: Lesions) -> str:
    if not facts:
        return "neutral"
    return "right" if all(_holds(fact, truth) for fact in facts) else "wrong"


def _instead(facts: Sequence[Fact], truth: Lesions) -> Span:
    lesions = [fact for fact in facts if fact.attribute == STENOSIS and not fact.negated]
    wrong = [
        truth.positive[fact.segment]
        for fact in lesions
        if fact.segment in truth.positive and not _holds(fact, truth)
    ]
    return {"reference": ", ".join(map(_said, wrong))} if wrong else {}


def _said(lesion: Fact) -> str:
    return f"{spoken(lesion.segment)} {lesion.percentage}"


def _holds(fact: Fact, truth: Lesions) -> bool:
    if fact.attribute != STENOSIS:
        stated = (fact.segment, fact.attribute, fact.low, fact.high)
        same_kind = {other for other in truth.others if other[1] == fact.attribute}
        return not same_kind if fact.negated else stated in same_kind
    if fact.negated:
        return not truth.names(fact.segment)
    reference = truth.positive.get(fact.segment)
    return reference is not None and within_tolerance(fact, reference)
