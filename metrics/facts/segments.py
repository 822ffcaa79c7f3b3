"""The coronary segments and the many names that reports have for them."""

import re
from collections.abc import Mapping
from typing import Final

from cinelex.metrics.facts.vocabulary import vocabulary

_CORONARY: Final = vocabulary("coronary")
VESSELS: Final = tuple(_CORONARY.places)

SEGMENT_VESSELS: Final[Mapping[str, str]] = _CORONARY.whole_of
"""The vessel of each segment. A PDA or PLV without "left" counts as RCA on either dominance.

Source: Leipsic et al. 2014, "SCCT guidelines for the interpretation and reporting of coronary CT
angiography" (18 segments), with D3, OM3, mid LCX and acute marginal, which reports also name.
"""

LOCATION: Final = r"(?:prox(?:imal(?:ly)?)?|osti(?:al|um)|mid(?:dle)?|dist(?:al(?:ly)?)?|apical)"
_JOIN: Final = r"(?:\s*(?:,|/|&|-|\bto\b|\band\b)\s*){1,3}(?:the\s+)?"
_LOCATIONS: Final = rf"{LOCATION}(?:{_JOIN}{LOCATION})*"
_PART: Final = r"(?:[\s-]+(?:segment|portion|third|part|aspect|vessel)s?)?"
_ARTERY: Final = r"(?:\s+coronary)?(?:\s+artery)?"
_LAD: Final = rf"(?:left\s+anterior\s+descending{_ARTERY}|lad)"
_LCX: Final = rf"(?:(?:left\s+)?circumflex{_ARTERY}|lcx|lcfx|cx|circ)"
_RCA: Final = r"(?:right\s+coronary(?:\s+artery)?|rca)"
_VESSEL: Final = rf"(?:{_LAD}|{_LCX}|{_RCA})"
_ORDINAL: Final = r"(?:first|1st|second|2nd|third|3rd)"
_ORDINALS: Final = rf"{_ORDINAL}(?:(?:\s*(?:,|/|&|\band\b)\s*){{1,2}}{_ORDINAL})*"
_NUMBER: Final = r"(?:\s*[-#]?\s*[1-3](?![\d.%]|\s*%))?"
_BRANCH: Final = r"(?:\s+branch(?:es)?)?"
_OWNER: Final = rf"(?:\s+(?:of|off|from)\s+(?:the\s+)?{_VESSEL}\b)?"
_POSTEROLATERAL: Final = (
    r"postero-?\s?lateral(?:\s+(?:left\s+)?ventricular)?(?:\s+(?:branch|artery))?"
)
_DESCENDING: Final = r"posterior\s+descending(?:\s+coronary)?(?:\s+(?:artery|branch))?"

_DIAGONAL: Final = (
    rf"(?:{_ORDINALS}\s+diag(?:onal)?s?|diag(?:onal)?s?{_NUMBER}|d-?[1-3](?!\d)){_BRANCH}"
)
_MARGINAL: Final = (
    rf"(?:{_ORDINALS}\s+(?:obtuse\s+)?marginals?|obtuse\s+marginals?{_NUMBER}|om{_NUMBER}){_BRANCH}"
)
_BRANCHES: Final[Mapping[str, str]] = {
    "left_main": (
        r"left\s+main(?:\s+(?:stem|trunk))?(?:\s+coronary)?(?:\s+(?:artery|stem|trunk))?"
        r"|lmca|lms|lmt|lm"
    ),
    "acute_marginal": (
        rf"acute\s+marginal{_BRANCH}|(?:rv|right\s+ventricular)\s+(?:marginal\s+)?branch"
    ),
    "diagonal": _DIAGONAL,
    "marginal": _MARGINAL,
    "ramus": rf"ramus(?:\s+intermedi(?:us|ate))?{_BRANCH}|ri|intermediate\s+(?:branch|artery)",
    "left_pda": rf"(?:left\s+|l-?)(?:pda|pdb|pd)|left\s+{_DESCENDING}",
    "left_plv": rf"left\s+(?:plv|plb|pl)|l-?(?:plv|plb|pl)|left\s+{_POSTEROLATERAL}",
    "pda": rf"(?:right\s+|r-?)?(?:pda|pdb)|rpd|(?:right\s+)?{_DESCENDING}",
    "plv": rf"(?:right\s+|r-?)?(?:plv|plb|pl)|rpls|(?:right\s+)?{_POSTEROLATERAL}",
}
_ANY_BRANCH: Final = "|".join(_BRANCHES.values())

PLACE_PATTERNS: Final[Mapping[str, str]] = {
    **{
        name: rf"\b(?:{LOCATION}[\s-]+)?(?:{pattern})\b{_OWNER}"
        for name, pattern in _BRANCHES.items()
    },
    "compact": r"\b[pmd]-?(?:lad|rca|lcx|cx)\b",
    "located": rf"\b{_LOCATIONS}{_PART}[\s-]+(?:of\s+)?(?:the\s+)?{_VESSEL}\b",
    "trailing": (
        rf"\b{_VESSEL}\s*[,:(-]?\s*(?:(?:in|at)\s+(?:its|the)\s+)?{_LOCATIONS}\b{_PART}"
        rf"(?!\s*-?\s*(?:of\s+)?(?:the\s+)?(?:{_VESSEL}|{_ANY_BRANCH})\b)"
    ),
    "vessel": rf"\b{_VESSEL}\b",
}
"""Lower-case regular expressions by kind of mention, the more telling ones first."""

_FIND_LOCATION: Final = re.compile(rf"\b{LOCATION}\b")
_FIND_ORDINAL: Final = re.compile(rf"\b{_ORDINAL}|[1-3](?!\d)")
_VESSEL_KEYS: Final = (
    ("lad", re.compile(rf"(?:\b|[pmd]){_LAD}\b")),
    ("lcx", re.compile(rf"(?:\b|[pmd]){_LCX}\b")),
    ("rca", re.compile(rf"(?:\b|[pmd]){_RCA}\b")),
)
_LETTERS: Final[Mapping[str, str]] = {"p": "proximal", "m": "mid", "d": "distal"}
_ORDINAL_DIGITS: Final[Mapping[str, str]] = {"f": "1", "s": "2", "t": "3"}


def location_key(word: str) -> str:
    """Return proximal, mid or distal for any word that `LOCATION` matches."""
    if word.startswith(("prox", "osti")):
        return "proximal"
    return "mid" if word.startswith("mid") else "distal"


def place_keys(kind: str, text: str) -> tuple[str, ...]:
    """Return the segments or the vessel that a mention names, given the pattern that found it.

    A vessel without a location stays a vessel: "LAD" is ``lad``, "mid LAD" is ``mid_lad``. A
    diagonal or marginal without a number is the first.
    """
    if kind in ("diagonal", "marginal"):
        numbers = [_digit(found) for found in _FIND_ORDINAL.findall(text)] or ["1"]
        return tuple(("d" if kind == "diagonal" else "om") + number for number in numbers)
    if kind not in ("compact", "located", "trailing", "vessel"):
        return (kind,)
    vessel = next(key for key, pattern in _VESSEL_KEYS if pattern.search(text))
    if kind == "compact":
        return (f"{_LETTERS[text[0]]}_{vessel}",)
    locations = dict.fromkeys(location_key(word) for word in _FIND_LOCATION.findall(text))
    return tuple(f"{location}_{vessel}" for location in locations) or (vessel,)


def vessel_of(place: str) -> str | None:
    """Return the vessel of a segment, a vessel itself, or None for any other place."""
    return place if place in VESSELS else SEGMENT_VESSELS.get(place)


def spoken(place: str) -> str:
    """Return the name of a segment or vessel as reports write it: ``mid_lad`` is "mid LAD"."""
    plain = (*_LETTERS.values(), "left", "main", "acute", "marginal", "ramus", "coronary")
    return " ".join(word if word in plain else word.upper() for word in place.split("_"))


def _digit(word: str) -> str:
    return word[0] if word[0].isdigit() else _ORDINAL_DIGITS[word[0]]
