"""What a passage claims, so exactly that it can be told to say one thing and nothing else."""

import re
from typing import Final

from cinelex.metrics.facts.fact import STENOSIS
from cinelex.metrics.facts.parse import leans
from cinelex.metrics.facts.readers import read_by
from cinelex.metrics.facts.scan import scan
from cinelex.metrics.facts.segments import spoken
from cinelex.metrics.facts.sentences import ENDS, sentences_of
from cinelex.metrics.facts.vocabulary import Vocabulary, vocabulary

CORONARY: Final = vocabulary("coronary")

Claim = tuple[str, str, float]
"""Attribute, place, and the one value that is stated; 0 where it is denied."""

SENTENCE: Final = re.compile(
    rf"[^.{ENDS}]*(?:\.(?=\d)[^.{ENDS}]*)*[.{ENDS}]*\s*",
)
"""A sentence with its full stop and the blanks behind it."""

_DIRECTION: Final = re.compile(
    r"progress|regress|(?:in|de)creas|worsen|improv|zunahme|zugenommen|abnahme|abgenommen", re.I
)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text as they are written, each with its full stop."""
    return [part.strip() for part in SENTENCE.findall(text) if part.strip()]


def passages(text: str) -> list[str]:
    """Return the sentences of a text, each with those behind it that go on about its lesion."""
    found: list[str] = []
    for sentence in sentences(text):
        if found and any(map(leans, sentences_of(sentence)[:1])):
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


def claims_of(passage: str, words: Vocabulary = CORONARY) -> frozenset[Claim]:
    """Return all that a sentence or a passage claims by itself; empty where it is not exact.

    Not exact is what claims nothing, hedges, gives an interval or a word for a number, or speaks of
    what other sentences leave ("the remaining vessels") or have named ("it measures 70%").
    """
    facts = read_by(words, passage).facts
    parts = sentences_of(passage)
    rest = any(item.kind == "rest" for part in parts for item in scan(part))
    vague = any(
        fact.uncertain or (fact.low != fact.high and not (fact.negated and fact.low == 0))
        for fact in facts
    )
    if rest or vague or any(map(leans, parts[:1])):
        return frozenset()
    return frozenset((f.attribute, f.segment, 0.0 if f.negated else f.low) for f in facts)


def with_value(
    passage: str, claim: Claim, value: float, words: Vocabulary = CORONARY
) -> str | None:
    """Return a passage that makes this one claim, with another value; None where it cannot be.

    The number is put in the place of the old one, a word of severity must fit it ("mild" no 80 %),
    and the parser must read it back. What says that a lesion has grown or shrunk keeps its number,
    and the number of an earlier study is none that it can have come to.
    """
    attribute, place, old = claim
    if _DIRECTION.search(passage) or _number(value).search(passage):
        return None
    changed = _number(old).sub(f"{value:g}", passage)
    said = [item for part in sentences_of(changed) for item in scan(part)]
    fits = all(item.low <= value <= item.high for item in said if item.kind == "severity")
    right = fits and claims_of(changed, words) == frozenset([(attribute, place, value)])
    return changed if right else None


def plain_sentence(claim: Claim) -> str | None:
    """Return a sentence of our own for a lesion that no report ever worded; None for the rest."""
    attribute, place, value = claim
    if attribute != STENOSIS or not value:
        return None
    sentence = f"{value:g}% stenosis of the {spoken(place)}."
    return sentence if claims_of(sentence) == frozenset([claim]) else None


def _number(value: float) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d.]){value:g}(?![\d.]*\d)")
