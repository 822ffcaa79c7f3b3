"""From the text of a report to its facts."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from cinelex.metrics.facts.clauses import Clause, clauses_of
from cinelex.metrics.facts.fact import (
    CALCIFICATION,
    CORONARY,
    DOMINANCE,
    EJECTION_FRACTION,
    FLOW,
    PACEMAKER,
    STENOSIS,
    STERNAL_WIRES,
    STUDY,
    TORTUOSITY,
    Fact,
)
from cinelex.metrics.facts.scan import scan
from cinelex.metrics.facts.segments import SEGMENT_VESSELS, VESSELS, vessel_of
from cinelex.metrics.facts.sentences import sentences_of
from cinelex.metrics.facts.vocabulary import vocabulary

_PLACED: Final = frozenset((FLOW, CALCIFICATION, TORTUOSITY))
_ATTRIBUTES: Final = _PLACED | {DOMINANCE, EJECTION_FRACTION, STERNAL_WIRES, PACEMAKER}
_PRESENCE: Final = frozenset((CALCIFICATION, TORTUOSITY, STERNAL_WIRES, PACEMAKER))
_REST: Final = "rest"

_LEANS: Final = re.compile("|".join(vocabulary("coronary").says["leans"]))


@dataclass(frozen=True)
class Reading:
    """What was understood of a report."""

    facts: tuple[Fact, ...]
    sentences: int
    understood: int
    """Sentences that gave at least one fact."""


@dataclass
class _Context:
    """What the sentences so far leave to be understood by the next."""

    vessel: str | None = None
    """The vessel that a bare "proximal" belongs to."""
    subject: tuple[str, ...] = ()
    """Places named by a sentence that said nothing about them yet."""
    lesion: Fact | None = None
    """The one lesion that the sentence before was about; None where it was about several."""


def parse(report: str) -> list[Fact]:
    """Return the facts of a report in the order of its sentences, without repetitions.

    A denial about all vessels, or about the remaining ones, becomes one negated fact per vessel;
    the remaining ones are those without a lesion anywhere in the report.
    """
    return list(read(report).facts)


def read(report: str) -> Reading:
    """Parse a report and count the sentences that were understood."""
    context = _Context()
    facts: list[Fact] = []
    sentences = understood = 0
    for sentence in sentences_of(report):
        lesion = context.lesion
        found = _facts_of(sentence, context)
        if lesion is not None and leans(sentence) and context.lesion != lesion:
            facts.remove(lesion)
        facts += found
        sentences += 1
        understood += bool(found)
    return Reading(tuple(dict.fromkeys(_without_rest(facts))), sentences, understood)


def leans(sentence: str) -> bool:
    """Tell whether one of `sentences_of` goes on about the lesion of the one before it."""
    return bool(_LEANS.match(sentence)) and not any(
        clause.placed for clause in _clauses(sentence)[1]
    )


@lru_cache(maxsize=65536)
def _clauses(sentence: str) -> tuple[list[Clause], list[Clause]]:
    """Scan a sentence once: templates and habits make most sentences old acquaintances."""
    return clauses_of(scan(sentence), _ATTRIBUTES)


def _facts_of(sentence: str, context: _Context) -> list[Fact]:
    """Return the facts of one sentence and leave in the context what the next may lean on."""
    attributes, clauses = _clauses(sentence)
    facts = [fact for clause in attributes for fact in _attribute_facts(clause)]
    if context.lesion is not None and leans(sentence):
        known, context.lesion = context.lesion, _measured(context.lesion, clauses)
        return facts if context.lesion == known else [*facts, context.lesion]
    lesions: list[Fact] = []
    for clause in clauses:
        places = _places(clause, context)
        if not clause.predicate:
            context.subject = tuple(place for _, place in places)
            continue
        lesions += _lesion_facts(clause, places, context.subject)
        context.subject = ()
    context.lesion = lesions[0] if len(lesions) == 1 and not lesions[0].negated else None
    return [*facts, *lesions]


def _measured(lesion: Fact, clauses: Sequence[Clause]) -> Fact:
    """Return a lesion as a sentence that leans on it measures it; itself where it does not."""
    for clause in clauses:
        if clause.predicate and not clause.denies:
            _, low, high = clause.values[0]
            if high - low < lesion.high - lesion.low:
                hedged = lesion.uncertain or clause.uncertain
                return replace(lesion, low=low, high=high, uncertain=hedged)
    return lesion


def _attribute_facts(clause: Clause) -> Iterator[Fact]:
    """Yield the facts other than stenoses; of places that are named, or else of the study."""
    places = [name for item in clause.items if item.kind == "place" for name in item.names]
    for item in clause.items:
        if item.kind not in _ATTRIBUTES:
            continue
        denied = clause.negated or (item.kind in _PRESENCE and item.low == 0)
        low, high = (0.0, 0.0) if denied and item.kind in _PRESENCE else (item.low, item.high)
        own = item.names or (tuple(places) if item.kind in _PLACED else ()) or (STUDY,)
        for segment in own:
            yield Fact(segment, item.kind, low, high, denied, clause.uncertain)


def _places(clause: Clause, context: _Context) -> list[tuple[int, str]]:
    """Return the places of a clause with their position among its items.

    A bare location joins the vessel named last; a vessel gives way to its own located segments.
    """
    found: list[tuple[int, str]] = []
    for position, item in enumerate(clause.items):
        if item.kind == "place":
            found += [(position, name) for name in item.names]
            located = {vessel_of(name) for name in item.names if _is_located(name)}
            context.vessel = located.pop() if len(located) == 1 else None
        elif item.kind == "location" and context.vessel is not None:
            found.append((position, f"{item.names[0]}_{context.vessel}"))
        elif item.kind in ("rest", "all"):
            found.append((position, item.kind))
    named = {name for _, name in found}
    if named - {"rest", "all"}:
        found = [(position, name) for position, name in found if name not in ("rest", "all")]
    covered = {
        SEGMENT_VESSELS[name] for name in named if name in SEGMENT_VESSELS and _is_located(name)
    }
    first = {name: position for position, name in reversed(found) if name not in covered}
    return [(position, name) for name, position in reversed(first.items())]


def _is_located(name: str) -> bool:
    """Tell whether a name is a vessel with locations, or one of its located segments."""
    return name in ("lad", "lcx", "rca") or name.partition("_")[0] in ("proximal", "mid", "distal")


def _lesion_facts(
    clause: Clause, places: Sequence[tuple[int, str]], subject: Sequence[str]
) -> Iterator[Fact]:
    """Yield one fact per place and value that a clause connects, lesion or denial."""
    if clause.denies:
        low, high = 0.0, clause.left_open
        named = [name for _, name in places] or list(subject) or ["all"]
        for name in named:
            for segment in VESSELS if name == "all" else (name,):
                yield Fact(segment, STENOSIS, low, high, True, clause.uncertain)
        return
    located = places or [(0, name) for name in subject] or [(0, CORONARY)]
    for segment, (low, high) in _paired(located, clause.values):
        segment = CORONARY if segment == "all" else segment
        yield Fact(segment, STENOSIS, low, high, high == 0, clause.uncertain)


def _paired(
    places: Sequence[tuple[int, str]], values: Sequence[tuple[int, float, float]]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Connect places with values: in order if there are as many, else each with its nearest."""
    if len(places) == len(values):
        for (_, segment), (_, low, high) in zip(places, values, strict=True):
            yield segment, (low, high)
    elif len(places) == 1:
        for _, low, high in values:
            yield places[0][1], (low, high)
    else:
        for position, segment in places:
            _, low, high = min(values, key=lambda value: abs(value[0] - position))
            yield segment, (low, high)


def _without_rest(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Replace what is said of the remaining vessels by facts about each one without a lesion."""
    facts = list(facts)
    diseased = {
        vessel_of(fact.segment) for fact in facts if fact.attribute == STENOSIS and not fact.negated
    }
    for fact in facts:
        if fact.segment != _REST:
            yield fact
            continue
        for vessel in VESSELS:
            if vessel not in diseased:
                yield Fact(
                    vessel, fact.attribute, fact.low, fact.high, fact.negated, fact.uncertain
                )
