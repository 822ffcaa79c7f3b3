"""Counterfactual reports: twins of a report that differ from it in one fact, and say it alike."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, get_args

import numpy as np

from cinelex.metrics.facts.claims import Claim, claims_of, passages, with_value
from cinelex.metrics.facts.fact import STENOSIS, Fact
from cinelex.metrics.facts.readers import read_by
from cinelex.metrics.facts.segments import PLACE_PATTERNS
from cinelex.metrics.facts.vocabulary import Attribute, Vocabulary

Change = Literal["negation", "segment", "side", "number"]
CHANGES: Final[tuple[Change, ...]] = get_args(Change)
FAR: Final = 0.25
"""Least change of a number, as a share of the span that reports state."""

_PLACE: Final = re.compile("|".join(f"(?:{text})" for text in PLACE_PATTERNS.values()), re.I)


class Twins:
    """Changes one fact of a report: denies it, moves it, swaps its side, or alters its number.

    A twin keeps the words of the report wherever it can, so that nothing but the fact tells it from
    the report; the parser reads back that this fact was changed and no other.
    """

    def __init__(self, reports: Iterable[str], words: Vocabulary) -> None:
        """Learn from the training reports what places are called and which numbers are stated."""
        self.words = words
        self._attributes = {attribute.name: attribute for attribute in words.attributes}
        names: dict[str, Counter[str]] = {}
        stated: dict[str, set[float]] = {}
        # in one order in every process: the order of a set of texts is another in each
        for passage in dict.fromkeys(part for report in reports for part in passages(report)):
            for attribute, place, value in claims_of(passage, words):
                if value:
                    stated.setdefault(attribute, set()).add(value)
                name = _PLACE.search(passage) if place in words.whole_of else None
                if name is not None:
                    names.setdefault(place, Counter())[name.group()] += 1
        self._names = {place: found.most_common(1)[0][0] for place, found in names.items()}
        self._stated = {attribute: sorted(values) for attribute, values in stated.items()}

    def of(self, report: str, change: Change, draw: np.random.Generator) -> str | None:
        """Return a twin, drawn among those that there are; None where there is none."""
        parts = passages(report)
        for number in draw.permutation(len(parts)).tolist():
            claims = claims_of(parts[number], self.words)
            if len(claims) != 1:
                continue
            changed = list(self._changed(parts[number], next(iter(claims)), change))
            for choice in draw.permutation(len(changed)).tolist():
                twin = " ".join([*parts[:number], changed[choice], *parts[number + 1 :]])
                if self._differs_in_one(report, twin):
                    return twin
        return None

    def _changed(self, sentence: str, claim: Claim, change: Change) -> Iterator[str]:
        """Yield sentences that make another claim in the same words."""
        name, place, value = claim
        attribute = self._attributes[name]
        if change == "number" and attribute.kind in ("extent", "number") and value:
            yield from self._numbers(sentence, claim)
        elif change == "side" and attribute.kind == "choice":
            yield from _swapped(sentence, place, attribute.choices)
        elif change == "segment" and attribute.kind == "extent" and value:
            yield from self._moved(sentence, place)
        elif change == "negation" and value:
            yield from _denied(sentence, attribute)

    def _numbers(self, sentence: str, claim: Claim) -> Iterator[str]:
        stated = self._stated.get(claim[0], [])
        least = FAR * (stated[-1] - stated[0]) if stated else 0.0
        for value in stated:
            if value != claim[2] and abs(value - claim[2]) >= least:
                other = with_value(sentence, claim, value, self.words)
                if other is not None:
                    yield other

    def _moved(self, sentence: str, place: str) -> Iterator[str]:
        """Put another part of the same whole in the place of this one."""
        whole_of: Mapping[str, str] = self.words.whole_of
        for other, name in self._names.items():
            if other != place and whole_of[other] == whole_of.get(place):
                moved = _PLACE.sub(lambda _, name=name: name, sentence, count=1)  # type: ignore[misc]
                yield moved[0].upper() + moved[1:]

    def _differs_in_one(self, report: str, twin: str) -> bool:
        before, after = (set(read_by(self.words, text).facts) for text in (report, twin))
        gone, come = before - after, after - before
        # where the last lesion of a vessel goes, "the remaining vessels" gain one
        exact = len(come) == 1 or (bool(come) and all(fact.negated for fact in come))
        return len(gone) == 1 and exact and not (_diseased(come) & _diseased(before - gone))


def _diseased(facts: set[Fact]) -> set[str]:
    return {fact.segment for fact in facts if fact.attribute == STENOSIS and not fact.negated}


def _swapped(sentence: str, chosen: str, choices: Sequence[str]) -> Iterator[str]:
    for other in choices:
        if other != chosen:
            yield re.sub(
                rf"\b{chosen}\b",
                lambda found, other=other: other.title() if found.group().istitle() else other,  # type: ignore[misc]
                sentence,
                flags=re.I,
            )


def _denied(sentence: str, attribute: Attribute) -> Iterator[str]:
    """Deny a lesion where it stands, or what is there."""
    if attribute.kind == "extent":
        name = _PLACE.search(sentence)
        if name is not None:
            yield f"No stenosis of the {name.group()}."
    elif attribute.kind == "presence":
        subject = re.sub(r"^an? |\b(?:is|are)\s+seen\b|\bin\s+place\b", "", sentence, flags=re.I)
        subject = subject.strip(" .")
        yield f"No {subject[0].lower()}{subject[1:]}."
        yield re.sub(r"\b(is|are)\b", r"\1 not", sentence, count=1)
