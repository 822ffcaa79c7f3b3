"""Whether a run has a number of its write-up: found, not found, or differing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cinelex.doctor.claims.facts import Fact, words_in
from cinelex.doctor.claims.write_up import Claim

Status = Literal["found", "not found", "differs"]
_TOLERANCE = 0.05
"""What "about" allows, as a share of the run's value."""
_LUCKY = 0.01
"""A number that no word ties to a fact must match less often than this by luck."""


@dataclass(frozen=True)
class Match:
    """A claim with what the run says about it."""

    claim: Claim
    status: Status
    fact: Fact | None
    """The fact that equals it, or that its words name most closely."""
    luck: float
    """Share of all numbers of so many digits that equal some fact of the run."""


def match_claims(claims: Sequence[Claim], facts: Sequence[Fact]) -> list[Match]:
    """Return each claim's match.

    A fact is *named* by a claim if the claim's words hold every word of what the fact measures, and
    both are a value or the same end of an interval. Of the named, those that share the most words
    are meant. ``found``: a fact that is meant rounds to the number; or any fact does, and so good a
    match is luck in less than 1 % of numbers. ``differs``: facts are meant and none has this value.
    ``not found``: all else.
    """
    return [_match(claim, facts) for claim in claims]


def _match(claim: Claim, facts: Sequence[Fact]) -> Match:
    luck = _luck(claim, facts)
    said = words_in(claim.context)
    named = [fact for fact in facts if _names(said, fact, claim)]
    most = max((_overlap(said, fact) for fact in named), default=0)
    meant = [fact for fact in named if _overlap(said, fact) == most]
    agreeing = [fact for fact in meant if _agrees(claim, fact)]
    if agreeing:
        return Match(claim, "found", agreeing[0], luck)
    same = [fact for fact in facts if claim.number.relation == "=" and _agrees(claim, fact)]
    if same and luck < _LUCKY:
        return Match(claim, "found", max(same, key=lambda fact: _overlap(said, fact)), luck)
    if meant:
        fact = min(meant, key=lambda f: abs(f.value - claim.number.readings[0][0]))
        return Match(claim, "differs", fact, luck)
    return Match(claim, "not found", None, luck)


def _names(said: frozenset[str], fact: Fact, claim: Claim) -> bool:
    """Return whether a claim's words hold what the fact measures.

    A setting is often one common word (``points``, ``steps``): it must be half of what is said.
    """
    metric = fact.metric
    if not metric or not metric <= said or fact.role != claim.role:
        return False
    return not fact.of_config or 2 * len(metric) >= len(said)


def _overlap(said: frozenset[str], fact: Fact) -> int:
    return len(said & fact.words)


def _agrees(claim: Claim, fact: Fact) -> bool:
    number = claim.number
    for value, half_unit in number.readings:
        slack = half_unit * (1 + 1e-9)
        if number.relation == "<" and fact.value < value + slack:
            return True
        if number.relation == ">" and fact.value > value - slack:
            return True
        if number.relation == "~" and abs(fact.value - value) <= max(
            slack, _TOLERANCE * abs(fact.value)
        ):
            return True
        if number.relation == "=" and abs(fact.value - value) <= slack:
            return True
    return False


def _luck(claim: Claim, facts: Sequence[Fact]) -> float:
    """Return the share of the numbers with these digits, in this decade, that equal a fact."""
    number = claim.number
    unit = 2 * number.half_unit
    possible = 9 * 10 ** (number.digits - 1)
    scales = (100.0, 1.0) if number.percent else (1.0,)
    printed = {
        round(abs(fact.value) * scale / unit)
        for fact in facts
        for scale in scales
        if abs(fact.value) * scale / unit < 10 * possible
    }
    decade = [value for value in printed if 10 ** (number.digits - 1) <= value < 10**number.digits]
    return min(1.0, len(decade) / possible)
