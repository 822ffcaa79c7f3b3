"""What a sentence claims, so exactly that it can be told to say one thing and nothing else."""

import re
from typing import Final

from cinelex.metrics.facts.fact import STENOSIS
from cinelex.metrics.facts.parse import sentences_of
from cinelex.metrics.facts.readers import read_by
from cinelex.metrics.facts.scan import scan
from cinelex.metrics.facts.vocabulary import Vocabulary, vocabulary

CORONARY: Final = vocabulary("coronary")

Claim = tuple[str, str, float]
"""Attribute, place, and the one value that is stated; 0 where it is denied."""

SENTENCE: Final = re.compile(r"[^.;!?\n]*(?:\.(?=\d)[^.;!?\n]*)*[.;!?\n]*\s*")
"""A sentence with its full stop and the blanks behind it."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a text as they are written, each with its full stop."""
    return [part.strip() for part in SENTENCE.findall(text) if part.strip()]


def claims_of(sentence: str, words: Vocabulary = CORONARY) -> frozenset[Claim]:
    """Return all that a sentence claims by itself; empty where it is not exact.

    Not exact is what claims nothing, hedges, gives an interval or a word for a number, or speaks of
    what other sentences leave ("the remaining vessels").
    """
    facts = read_by(words, sentence).facts
    leans = any(item.kind == "rest" for part in sentences_of(sentence) for item in scan(part))
    vague = any(
        fact.uncertain or (fact.low != fact.high and not (fact.negated and fact.low == 0))
        for fact in facts
    )
    if leans or vague:
        return frozenset()
    return frozenset((f.attribute, f.segment, 0.0 if f.negated else f.low) for f in facts)


def with_value(
    sentence: str, claim: Claim, value: float, words: Vocabulary = CORONARY
) -> str | None:
    """Return a sentence that makes this one claim, with another value; None where it cannot be.

    The number is put in the place of the old one, a word of severity must fit it ("mild" no 80 %),
    and the parser must read it back.
    """
    attribute, place, old = claim
    changed = re.sub(rf"(?<![\d.]){old:g}(?![\d.]*\d)", f"{value:g}", sentence)
    said = [item for part in sentences_of(changed) for item in scan(part)]
    fits = all(item.low <= value <= item.high for item in said if item.kind == "severity")
    right = fits and claims_of(changed, words) == frozenset([(attribute, place, value)])
    return changed if right else None


def plain_sentence(claim: Claim) -> str | None:
    """Return a sentence of our own for a lesion that no report ever worded; None for the rest."""
    attribute, place, value = claim
    if attribute != STENOSIS or not value:
        return None
    sentence = f"{value:g}% stenosis of the {place.replace('_', ' ')}."
    return sentence if claims_of(sentence) == frozenset([claim]) else None
