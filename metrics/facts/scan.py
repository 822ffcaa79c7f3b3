"""The words of a report that carry meaning, found in one pass over each sentence."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from cinelex.metrics.facts.fact import (
    CALCIFICATION,
    DOMINANCE,
    EJECTION_FRACTION,
    FLOW,
    PACEMAKER,
    STERNAL_WIRES,
    TORTUOSITY,
)
from cinelex.metrics.facts.segments import (
    LOCATION,
    PLACE_PATTERNS,
    location_key,
    place_keys,
)
from cinelex.metrics.facts.vocabulary import vocabulary


class Item(NamedTuple):
    """One meaningful word or phrase of a sentence."""

    kind: str
    """place, location, all, rest, value, severity, finding, normal, negation, uncertain, graft,
    verb, separator, or the name of an attribute other than stenosis."""
    names: tuple[str, ...] = ()
    """Places of a place, the word of a separator, the side of a dominance."""
    low: float = 0.0
    high: float = 0.0


SEVERITIES: Final = (
    (r"(?:sub-?\s?total|near-?\s?total)(?:ly)?(?:\s+occlu\w+)?", 95.0, 99.0),
    (r"total(?:ly)?\s+occlu\w+|ctos?|occlu(?:ded|sions?)|total(?!\s+of)", 100.0, 100.0),
    (r"minimal(?:ly)?\W+(?:to\W+)?mild(?:ly)?", 1.0, 49.0),
    (r"mild(?:ly)?\W+(?:to\W+)?moderate(?:ly)?", 25.0, 69.0),
    (r"moderate(?:ly)?\W+(?:to\W+)?severe(?:ly)?", 50.0, 99.0),
    (r"non-?\s?occlusive", 1.0, 99.0),
    (r"non-?\s?(?:obstructive|significant|critical|flow-?\s?limiting)|insignificant", 1.0, 49.0),
    (r"minimal(?:ly)?|minor|trivial|luminal\s+irregularit\w+|irregularit\w+", 1.0, 24.0),
    (r"mild(?:ly)?", 25.0, 49.0),
    (r"moderate(?:ly)?|intermediate(?!\s+(?:branch|artery))", 50.0, 69.0),
    (r"severe(?:ly)?|critical(?:ly)?|high-?\s?grade|tight", 70.0, 99.0),
    (r"(?:haemo|hemo)dynamically\s+significant|significant(?:ly)?|obstructive|flow-?\s?limiting",
     50.0, 100.0),
)  # fmt: skip
"""Words for a stenosis and the percentages they cover."""

_NUMBER: Final = r"\d{1,3}(?:\.\d+)?(?![\d.]*\d)"
_RANGE: Final = rf"{_NUMBER}(?:\s*%?\s*(?:-|\bto\b)\s*{_NUMBER})?\s*%"
_ABOVE: Final = r">=?|\b(?:at\s+least|more\s+than|greater\s+than|over|above|exceeding)\b"
_BELOW: Final = r"<=?|\b(?:less\s+than|up\s+to|under|below|at\s+most)\b"
_VALUE: Final = (
    rf"(?:{_ABOVE}|{_BELOW})?\s*~?\s*(?<![\d.]){_RANGE}|[<>]=?\s*\d{{2,3}}(?![\d.]|\s*(?:mm|cm|ml))"
)
_ADJECTIVE: Final = (
    r"(?:(?:minimal|mild|moderate|severe|heavy|marked|significant|dense|extensive|diffuse)\s+)?"
)
_ADVERB: Final = (
    r"(?:(?:minimal|mild|moderate|severe|heavi|marked|significant|dense|diffuse)ly\s+)?"
)
_SIDE: Final = r"(?:right|left|co|balanced)"
_OF_SIDE: Final = (
    r"(?:rca|right\s+coronary(?:\s+artery)?|lcx|cx|(?:left\s+)?circumflex(?:\s+artery)?)"
)
_GRADE: Final = r"(?:iii|ii|i|[0-3])(?![a-z\d])"

_PATTERNS: Final[Mapping[str, str]] = {
    DOMINANCE: (
        rf"\b{_SIDE}[\s-]*(?:coronary\s+)?(?:artery\s+)?(?:system\s+)?(?:is\s+)?dominan(?:t|ce)\b"
        rf"|\bdominance\s*(?:is|:|=)?\s*{_SIDE}\b"
        rf"|\b(?:non-?\s?)?dominant\s+{_OF_SIDE}\b|\b{_OF_SIDE}\s+is\s+(?:non-?\s?)?dominant\b"
    ),
    FLOW: (
        rf"\btimi(?:[\s:-]*(?:flow|grade))*[\s:-]*{_GRADE}(?:\s*(?:-|/|\bto\b)\s*{_GRADE})?"
        r"(?:[\s-]*flow)?|\b(?:normal|brisk|slow|sluggish)\s+(?:\w+\s+)?flow\b"
    ),
    EJECTION_FRACTION: (
        rf"\b(?:lv\s*)?(?:ejection\s+fraction|l?v?ef)\b[^\d%]{{0,25}}{_RANGE}"
        rf"|{_RANGE}\s*(?:lv\s*)?(?:ejection\s+fraction|l?v?ef\b)"
    ),
    STERNAL_WIRES: r"\b(?:sternal|sternotomy)\s+(?:wires?|sutures?)\b",
    PACEMAKER: r"\b(?:pacemaker|pacer|pacing|icd)(?:\s+(?:leads?|wires?|electrodes?))?\b",
    CALCIFICATION: (
        rf"\b{_ADJECTIVE}(?:coronary\s+)?calcifications?\b|\b{_ADJECTIVE}calcium\b"
        rf"|\b{_ADVERB}(?:non-?\s?)?calcified\b"
    ),
    TORTUOSITY: rf"\b{_ADJECTIVE}(?:coronary\s+)?tortuosity\b|\b{_ADVERB}(?:non-?\s?)?tortuous\b",
    "uncertain": "|".join(vocabulary("coronary").says["doubt"]),
    "value": _VALUE,
    "severity": rf"\b(?:{'|'.join(pattern for pattern, _, _ in SEVERITIES)})(?!\w)",
    "negation": (
        r"\b(?:no|not|without|w/o|free\s+(?:of|from)|absence\s+of|negative\s+for|neither)\b"
    ),
    "normal": (
        r"\bnormal(?!(?:\s|-)*(?:siz|calib|origin|take-?off|course|ejection|lv\b))"
        r"|\b(?:disease-free|unremarkable)\b"
    ),
    "patent": r"\bpatent\b",
    **PLACE_PATTERNS,
    "location": rf"\b{LOCATION}\b",
    "rest": r"\b(?:remaining|remainder|other|rest|elsewhere)\b",
    "all": r"\bcoronar(?:y|ies)\b|\ball\s+(?:\w+\s+){0,2}(?:vessels|arteries|segments)\b",
    "graft": r"\b(?:grafts?|[lr]ima|svgs?|saphenous|bypass)\b",
    "finding": (
        r"\b(?:re)?stenos\w+|\bnarrow(?:ed|ings?)\b|\blesions?\b|\bdisease[d]?\b|\bblockages?\b"
        r"|\bobstruct(?:ions?|ed)\b|\bplaques?\b|\bathero\w+"
    ),
    "verb": r"\b(?:is|are|was|were|has|have|shows?|arises?|gives?|supplies|bifurcates|wraps)\b",
    "separator": r",|&|\+|\b(?:and|or|nor|but|with|while|whereas|however|although|except|plus)\b",
}

_START: Final = r"(?:(?<![a-z])(?=[a-z])|(?<![\d.])(?=\d)|(?=[<>~,&+]))"
_ANY: Final = "|".join(f"(?P<{kind}>{text})" for kind, text in _PATTERNS.items())
_SEVERITY: Final = tuple((re.compile(text), low, high) for text, low, high in SEVERITIES)
_NUMBERS: Final = re.compile(_NUMBER)
_GRADES: Final = re.compile(_GRADE)
_IS_ABOVE: Final = re.compile(_ABOVE)
_IS_BELOW: Final = re.compile(_BELOW)
_ROMAN: Final[Mapping[str, float]] = {"i": 1.0, "ii": 2.0, "iii": 3.0}


@cache
def _items() -> re.Pattern[str]:
    """Return the pattern of any item, compiled once, which takes a while."""
    return re.compile(rf"{_START}(?:{_ANY})")


def scan(sentence: str) -> tuple[Item, ...]:
    """Return the meaningful items of a lower-case sentence in their order.

    The text is what `parse` makes of a report: one kind of dash, percent as %.
    """
    items = (
        _item(str(found.lastgroup), found.group().strip()) for found in _items().finditer(sentence)
    )
    return tuple(item for item in items if item is not None)


def _item(kind: str, text: str) -> Item | None:
    """Return what a match means, or None for a number that cannot be a percentage."""
    if kind in PLACE_PATTERNS:
        return Item("place", place_keys(kind, text))
    if kind == "location":
        return Item(kind, (location_key(text),))
    if kind == "separator":
        return Item(kind, (text,))
    if kind == "patent":
        return Item("normal", (), 0.0, 49.0)
    if kind == DOMINANCE:
        return Item(kind, (_side(text),), 1.0, 1.0)
    interval = _interval(kind, text)
    return None if interval is None else Item(kind, (), *interval)


def _interval(kind: str, text: str) -> tuple[float, float] | None:
    if kind == "value":
        return _percentages(text)
    if kind == "severity":
        return next((low, high) for word, low, high in _SEVERITY if word.fullmatch(text))
    if kind == FLOW:
        return _flow(text)
    if kind == EJECTION_FRACTION:
        numbers = sorted(float(number) for number in _NUMBERS.findall(text))
        return (numbers[0], numbers[-1]) if numbers[-1] <= 100 else None
    if kind in (CALCIFICATION, TORTUOSITY, STERNAL_WIRES, PACEMAKER):
        present = 0.0 if text.startswith("non") else 1.0
        return present, present
    if kind == "finding":
        return 1.0, 100.0
    return 0.0, 0.0


def _percentages(text: str) -> tuple[float, float] | None:
    numbers = sorted(float(number) for number in _NUMBERS.findall(text))
    low, high = numbers[0], numbers[-1]
    if high > 100:
        return None
    if _IS_ABOVE.match(text):
        return (low if _inclusive(text) else min(low + 1, 100.0)), 100.0
    if _IS_BELOW.match(text):
        return min(1.0, high), (high if _inclusive(text) else max(high - 1, 0.0))
    return low, high


def _inclusive(text: str) -> bool:
    return text.startswith((">=", "<=", "at ", "up "))


def _flow(text: str) -> tuple[float, float]:
    if not text.startswith("timi"):
        grade = 3.0 if text.startswith(("normal", "brisk")) else 2.0
        return grade, grade
    words = _GRADES.findall(text.removeprefix("timi"))
    grades = sorted(_ROMAN.get(word) or float(word) for word in words)
    return grades[0], grades[-1]


def _side(text: str) -> str:
    """Return right, left or both; a vessel that is not dominant leaves the other side."""
    if text.startswith(("co", "balanced")) or text.endswith((" co", "balanced")):
        return "both"
    right = "right" in text or "rca" in text
    return "right" if right != ("non" in text) else "left"
