"""Names, dates and numbers of persons, taken out of a report."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

MONTHS: Final = (
    "jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|"
    "aug(?:ust)?|sep(?:t(?:ember)?)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?"
)
TITLES: Final = r"Drs?|Prof(?:essor)?|Mrs?|Ms|Miss|Herrn?|Frau|Señora?|M(?:me|lle)"
NAME: Final = r"[^\W\d_a-zß-ÿ][^\W\d_]*(?:['’-][^\W\d_]+)*"
"""A word that begins with a capital."""
DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
PATTERNS: Final = (
    ("email", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "[EMAIL]"),
    ("url", r"\b(?:https?://|www\.)\S+", "[URL]"),
    ("date", rf"\b(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]{DAY}\b", "[DATE]"),
    ("date", rf"\b{DAY}[-./]{DAY}[-./](?:19|20)?\d\d\b", "[DATE]"),
    (
        "date",
        rf"(?i)\b\d{{1,2}}(?:st|nd|rd|th|\.)?[ -](?:of )?(?:{MONTHS})\.?,?[ -](?:19|20)?\d\d\b",
        "[DATE]",
    ),
    ("date", rf"(?i)\b(?:{MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b", "[DATE]"),
    ("date", r"\b(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b", "[DATE]"),
    (
        "phone",
        r"(?<![\w.])(?:\+\d{1,3}[ -]?|\(0?\d{2,5}\)[ -]?|0\d{2,4}[ /-])"
        r"\d{2,4}(?:[ -]?\d{2,5}){1,3}\b",
        "[PHONE]",
    ),
    ("id", r"\b\d{3}-\d{2}-\d{4}\b", "[ID]"),
    (
        "id",
        r"(?i)\b(?:mrn|patient id|case no|acc(?:ession)?(?: no| number)?)\b\W{0,3}[A-Z]*\d[\w-]*",
        "[ID]",
    ),
    ("id", r"\b(?:\d\.){3}[\d.]{6,}\b", "[ID]"),
    ("id", r"\b[A-Z]{0,4}\d{6,}[A-Z]?\b", "[ID]"),
    (
        "name",
        rf"\b(?P<kept>(?:{TITLES})\b\.?)(?: (?:{TITLES})\b\.?)*(?: {NAME}\.?){{1,3}}",
        r"\g<kept> [NAME]",
    ),
)
"""What looks like a person's whatever the header says: kind, pattern, what stands for it."""
COMPILED: Final = tuple((kind, re.compile(text), stand_in) for kind, text, stand_in in PATTERNS)
OLD: Final = re.compile(
    r"\b(?:9\d|1[0-2]\d)(?=[ -]?(?:years?|yrs?|y/?o|jährig|jahre|ans|años)\b)", re.IGNORECASE
)
COMMON: Final = frozenset(
    (
        "and", "center", "centre", "cath", "city", "clinic", "county", "del", "den", "department",
        "der", "des", "doctor", "echo", "for", "general", "heart", "herz", "hospital", "infirmary",
        "klinik", "krankenhaus", "lab", "laboratory", "medical", "north", "room", "saint", "south",
        "east", "station", "the", "universität", "university", "van", "von", "west", "zentrum",
    )
)  # fmt: skip
"""Parts of the names of places that say nothing alone."""
MIN_NAME, MIN_ID = 3, 4
"""Characters; shorter ones are words and numbers of any report."""


def deidentify(
    text: str, *, names: Iterable[str] = (), ids: Iterable[str] = ()
) -> tuple[str, Counter[str]]:
    """Return a report without what names a person, and how many of each kind were taken out.

    Args:
        text: Of one line.
        names: Persons and places of the same study's headers, as DICOM writes them
            (``Family^Given``).
        ids: Numbers of the same study's headers.
    """
    counts: Counter[str] = Counter()
    folded = _folded(text)
    for word in _there({word for word in ids if len(word) >= MIN_ID}, folded):
        text = _counted(_whole(word), "[ID]", text, counts, "id")
    wholes, parts = _words(names)
    for word in _there(wholes, folded):
        text = _counted(_whole(word), "[NAME]", text, counts, "name")
    for kind, pattern, stand_in in COMPILED:
        text = _counted(pattern, stand_in, text, counts, kind)
    for word in _there(parts, folded):
        text = _counted(_whole(word), "[NAME]", text, counts, "name")
    text = _counted(OLD, "90", text, counts, "age")
    return re.sub(r"\[NAME\](?:[ ,]+\[NAME\])+", "[NAME]", text), counts


def _there(words: Iterable[str], folded: str) -> list[str]:
    """Return the words that a folded text has, the longest first.

    Few names of a header stand in its report, and to compile a pattern costs as much as the rest.
    """
    there = sorted(word for word in words if _folded(word) in folded)  # the same in every process
    return sorted(there, key=len, reverse=True)


def _folded(text: str) -> str:
    """Return a text in which whatever differs by its case alone is the same, as in ``re``."""
    return text.replace("İ", "i").replace("ı", "i").casefold()


def _words(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return what is to be looked for: names as they are read, and their parts."""
    wholes, parts = set(), set()
    for name in names:
        words = [word for word in re.split(r"[\^=,;\s]+", name) if word]
        wholes |= {" ".join(words), " ".join(reversed(words)), ", ".join(words)}
        parts |= set(words)
    return (
        {whole for whole in wholes if len(whole) >= MIN_NAME},
        {part for part in parts if len(part) >= MIN_NAME and part.casefold() not in COMMON},
    )


def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)


def _counted(
    pattern: re.Pattern[str],
    stand_in: str | Callable[[re.Match[str]], str],
    text: str,
    counts: Counter[str],
    kind: str,
) -> str:
    text, found = pattern.subn(stand_in, text)
    counts[kind] += found
    return text
