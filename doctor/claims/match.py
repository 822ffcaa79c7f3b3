"""Whether a run has a number of its write-up: found, not found, or differing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cinelex.doctor.claims.run_numbers import RunNumber, words_in
from cinelex.doctor.claims.write_up import Claim

Status = Literal["found", "not found", "differs"]
_TOLERANCE = 0.05
"""What "about" allows, as a share of the run's value."""
_MAX_P = 0.01
"""A claim that is tied to a number by no word must equal one by chance less often than this."""


@dataclass(frozen=True)
class Match:
    """A claim with what the run says about it."""

    claim: Claim
    status: Status
    held: RunNumber | None
    """The number of the run that equals it, or that its words name most closely."""
    p_value: float
    """Share of all numbers of so many digits that equal some number of the run."""


def match_claims(claims: Sequence[Claim], numbers: Sequence[RunNumber]) -> list[Match]:
    """Return each claim's match.

    A number of the run is *named* by a claim if the claim's words hold every word of what it
    measures, and both are a value or the same end of an interval. Of the named, those that share
    the most words are meant. ``found``: one that is meant rounds to the claim; or any number of the
    run does, where less than 1 % of numbers would. ``differs``: some are meant and none has this
    value. ``not found``: all else.
    """
    return [_match(claim, numbers) for claim in claims]


def _match(claim: Claim, numbers: Sequence[RunNumber]) -> Match:
    p_value, said = _p_value(claim, numbers), words_in(claim.context)

    def shared(held: RunNumber) -> int:
        return len(said & held.words)

    named = [held for held in numbers if _names(said, held, claim)]
    most = max(map(shared, named), default=0)
    meant = [held for held in named if shared(held) == most]
    for held in meant:
        if _agrees(claim, held):
            return Match(claim, "found", held, p_value)
    if claim.number.relation == "=" and p_value < _MAX_P:
        same = [held for held in numbers if _agrees(claim, held)]
        if same:
            return Match(claim, "found", max(same, key=shared), p_value)
    if meant:
        nearest = min(meant, key=lambda held: abs(held.value - claim.number.readings[0][0]))
        return Match(claim, "differs", nearest, p_value)
    return Match(claim, "not found", None, p_value)


def _names(said: frozenset[str], held: RunNumber, claim: Claim) -> bool:
    """Return whether a claim's words hold what a number of the run measures.

    A setting is often one common word (``points``, ``steps``): it must be half of what is said.
    """
    metric = held.metric
    if not metric or not metric <= said or held.role != claim.role:
        return False
    return not held.of_config or 2 * len(metric) >= len(said)


def _agrees(claim: Claim, held: RunNumber) -> bool:
    for value, half_unit in claim.number.readings:
        off, slack = held.value - value, half_unit * (1 + 1e-9)
        agrees = {
            "<": off < slack,
            ">": off > -slack,
            "~": abs(off) <= max(slack, _TOLERANCE * abs(held.value)),
            "=": abs(off) <= slack,
        }
        if agrees[claim.number.relation]:
            return True
    return False


def _p_value(claim: Claim, numbers: Sequence[RunNumber]) -> float:
    """Return the share of the numbers with these digits, in this decade, that the run holds."""
    number = claim.number
    unit, least = 2 * number.half_unit, 10 ** (number.digits - 1)
    scales = (100.0, 1.0) if number.percent else (1.0,)
    sizes = [abs(held.value) * scale / unit for held in numbers for scale in scales]
    printed = {round(size) for size in sizes if size < 90 * least}
    return min(1.0, sum(least <= value < 10 * least for value in printed) / (9 * least))
