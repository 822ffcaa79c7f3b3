"""Facts that a vocabulary describes by terms alone: numbers, grades, and what is there or not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from cinelex.metrics.facts.fact import STUDY, Fact
from cinelex.metrics.facts.parse import Reading
from cinelex.metrics.facts.sentences import sentences_of
from cinelex.metrics.facts.vocabulary import Attribute, vocabulary

_NUMBER: Final = r"(?<![\d.])\d{1,3}(?:[.,]\d+)?"
_VALUE: Final = re.compile(rf"({_NUMBER})(?:\s*%?\s*(?:-|\b(?:to|bis|à)\b)\s*({_NUMBER}))?")
REACH: Final = 28
"""Letters between a term and the number or grade that belongs to it."""


@dataclass(frozen=True)
class _Mention:
    """A term that was found."""

    attribute: Attribute
    start: int
    end: int


@cache
def read_measures(report: str, name: str) -> Reading:
    """Return what a report states in the terms of a vocabulary.

    The first statement of an attribute counts; a report that repeats itself differently is no
    measurement of anything.
    """
    found: dict[str, Fact] = {}
    sentences = understood = 0
    for sentence in sentences_of(report):
        facts = list(_facts_of(sentence, name))
        sentences += 1
        understood += bool(facts)
        for fact in facts:
            found.setdefault(fact.attribute, fact)
    return Reading(tuple(found.values()), sentences, understood)


def _facts_of(sentence: str, name: str) -> Iterator[Fact]:
    mentions = _mentions(sentence, name)
    for number, mention in enumerate(mentions):
        # what belongs to a term stands between its neighbours
        low = mentions[number - 1].end if number else 0
        high = mentions[number + 1].start if number + 1 < len(mentions) else len(sentence)
        before, after = sentence[low : mention.start], sentence[mention.end : high]
        interval = _interval(mention, before, after, sentence[mention.start : mention.end], name)
        if interval is None:
            continue
        attribute, hedged = mention.attribute, bool(_says(name, "doubt").search(before + after))
        denied = attribute.kind == "presence" and interval == (0.0, 0.0)
        yield Fact(STUDY, attribute.name, *interval, denied, hedged)


def _mentions(sentence: str, name: str) -> list[_Mention]:
    """Return the terms of a sentence in their order; of overlapping ones the first attribute's."""
    taken: list[_Mention] = []
    for attribute, pattern in _patterns(name):
        for match in pattern.finditer(sentence):
            if all(match.end() <= one.start or match.start() >= one.end for one in taken):
                taken.append(_Mention(attribute, match.start(), match.end()))
    return sorted(taken, key=lambda mention: mention.start)


def _interval(
    mention: _Mention, before: str, after: str, term: str, name: str
) -> tuple[float, float] | None:
    attribute = mention.attribute
    near = _says(name, "cut").split(before)[-1] if attribute.kind == "number" else before
    if attribute.kind == "presence":
        denies, absent = _says(name, "negation"), _says(name, "absent")
        denied = bool(denies.search(before) or absent.match(after))
        return (0.0, 0.0) if denied else (1.0, 1.0)
    if attribute.grades:
        return _grade(term, near, after, name)
    return _measured(attribute, near, after)


def _measured(attribute: Attribute, before: str, after: str) -> tuple[float, float] | None:
    """Return the first number behind a term, or else the last before it, that it can be."""
    behind, ahead = _VALUE.search(after[:REACH]), list(_VALUE.finditer(before[-REACH:]))
    for match in [*([behind] if behind else []), *ahead[-1:]]:
        ends = [float(part.replace(",", ".")) for part in match.groups() if part is not None]
        if all(attribute.range[0] <= end <= attribute.range[1] for end in ends):
            return min(ends), max(ends)
    return None


def _grade(term: str, before: str, after: str, name: str) -> tuple[float, float] | None:
    """Return the grade in a term, the last before it, or the first behind it."""
    for text, last in ((term, False), (before[-REACH:], True), (after[:REACH], False)):
        matches = list(_grades(name).finditer(text))
        if matches:
            word = matches[-1 if last else 0].group()
            return next(ends for pattern, ends in _scale(name) if pattern.fullmatch(word))
    return None


@cache
def _says(name: str, kind: str) -> re.Pattern[str]:
    """Return what a vocabulary says for a kind of remark, in all its languages."""
    return re.compile("|".join(vocabulary(name).says[kind]))


@cache
def _patterns(name: str) -> list[tuple[Attribute, re.Pattern[str]]]:
    words = vocabulary(name)
    return [(a, re.compile(term)) for a in words.attributes for term in a.terms]


@cache
def _scale(name: str) -> list[tuple[re.Pattern[str], tuple[float, float]]]:
    grades: Mapping[str, tuple[float, float]] = vocabulary(name).grades
    return [(re.compile(word), ends) for word, ends in grades.items()]


@cache
def _grades(name: str) -> re.Pattern[str]:
    longest_first = sorted(vocabulary(name).grades, key=len, reverse=True)
    return re.compile(rf"(?<![\w+])(?:{'|'.join(longest_first)})(?![\w+])")
