"""What each number of a cell or a clause is: a value, an end of an interval, one of a series."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cinelex.doctor.claims.numbers import Number, numbers_in

Role = Literal["value", "low", "high"]
_BETWEEN = re.compile(r"\s*(?:–|—|…|\.{3}|-|to|,|;)\s*[-−+]?")
_SERIES = re.compile(r"\s*[\])]?\s*/\s*[\[(]?\s*[-−+]?")
_OPENED = re.compile(r"[\[(]\s*(?:95\s*%)?\s*(?:CI|interval)?:?\s*[-−+]?$")
_UP_TO = re.compile(r"[\[(]\s*(?:up )?to\s+[-−+]?$")
_CLOSED = re.compile(r"\s*[\])]")
_NAMES = re.compile(r"[A-Za-z][\w@-]*(?:\s*/\s*[A-Za-z][\w@-]*)+")
INTERVAL = re.compile(r"\binterval\b|\bCI\b|\bconfidence\b", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """A number and its part in the text around it."""

    number: Number
    role: Role
    place: int
    """Which of the values between slashes it is, or belongs to, from 0."""
    places: int
    """How many values there are between slashes."""


def pieces_of(text: str, *, heading: str = "") -> list[Piece]:
    """Return the numbers of a text, each with its part.

    Two numbers in brackets, or under a heading or behind a word that says interval, are its ends:
    ``[49.4, 65.6]``. Numbers between slashes are a series: ``90.0/93.1``. A percent sign counts
    for all of a series, and for the interval behind it.

    Args:
        text: A cell or a clause.
        heading: Of the cell's column.
    """
    numbers = list(numbers_in(text))
    roles = _roles(text, numbers, all_intervals=bool(INTERVAL.search(heading)))
    places = _places(text, numbers, roles)
    lengths = [_length(places, place) for place in range(len(places))]
    return list(map(Piece, _percents(numbers, roles, places), roles, places, lengths))


def named_by(label: str, piece: Piece) -> str:
    """Return a label with the one name of a series that belongs to a piece.

    ``R@1 / R@5 of reports`` names two values; the first is ``R@1 of reports``. A label without a
    series of as many names stays as it is.
    """

    def chosen(match: re.Match[str]) -> str:
        names = re.split(r"\s*/\s*", match[0])
        return names[piece.place] if len(names) == piece.places else match[0]

    return _NAMES.sub(chosen, label)


def _roles(text: str, numbers: Sequence[Number], *, all_intervals: bool) -> list[Role]:
    roles: list[Role] = ["value"] * len(numbers)
    for place, number in enumerate(numbers):
        before = text[: number.start]
        if _UP_TO.search(before):
            roles[place] = "high"
        if place + 1 == len(numbers) or roles[place] != "value":
            continue
        after = numbers[place + 1]
        if not _BETWEEN.fullmatch(text[number.end : after.start]):
            continue
        bracketed = _OPENED.search(before) and _CLOSED.match(text, after.end)
        if all_intervals or bracketed or INTERVAL.search(before[-20:]):
            roles[place], roles[place + 1] = "low", "high"
    return roles


def _places(text: str, numbers: Sequence[Number], roles: Sequence[Role]) -> list[int]:
    """Return each number's place in its series; an end of an interval is where its value is."""
    places: list[int] = []
    for number, role in zip(numbers, roles, strict=True):
        place = 0
        if places:
            gap = text[numbers[len(places) - 1].end : number.start]
            place = places[-1] + 1 if _SERIES.fullmatch(gap) else places[-1] * (role != "value")
        places.append(place)
    return places


def _series(places: Sequence[int], place: int) -> range:
    """Return where the series begins and ends that a number is one of."""
    starts = [k for k in range(len(places)) if places[k] == 0 and (k == 0 or places[k - 1] > 0)]
    first = max([k for k in starts if k <= place], default=0)
    last = min([k for k in starts if k > place], default=len(places))
    return range(first, last)


def _length(places: Sequence[int], place: int) -> int:
    return 1 + max(places[k] for k in _series(places, place))


def _percents(
    numbers: Sequence[Number], roles: Sequence[Role], places: Sequence[int]
) -> list[Number]:
    """Return the numbers in the unit that is printed once for several."""
    found = list(numbers)
    for place, number in enumerate(numbers):
        several = [k for k in _series(places, place) if places[k] != places[place]]
        if roles[place] == "low":
            several.append(place + 1)
        if roles[place] != "value":
            several += [k for k in range(place) if roles[k] == "value"][-1:]
        if any(numbers[k].percent for k in several):
            found[place] = replace(number, percent=True)
    return found
