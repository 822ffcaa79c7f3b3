"""A report as sentences in one spelling and one language, about this study alone."""

import re
import textwrap
from functools import lru_cache
from typing import Final

from cinelex.metrics.facts.vocabulary import vocabulary

_SIGNS: Final = str.maketrans({"–": "-", "—": "-", "−": "-", "≈": "~", "≥": ">=", "≤": "<="})
_SPELLINGS: Final = (
    (re.compile(r"[^\S\n]+"), " "),
    (re.compile(r"\b(?:percent|per\s+cent|pct)\b"), "%"),
    (re.compile(r"\b(?:about|approx(?:imately)?|around|circa|ca)\b\.?(?=\s*\d)"), "~"),
    (re.compile(r"\b(prox|dist|seg|br|sig|mod|sev)\.(?=\s*[a-z\d])"), r"\1 "),
)
_CORONARY: Final = vocabulary("coronary")
_FOREIGN: Final = re.compile(_CORONARY.foreign)
_TERMS: Final = tuple((re.compile(term), english) for term, english in _CORONARY.terms)
_EARLIER: Final = tuple((re.compile(phrase), kept) for phrase, kept in _CORONARY.earlier)
ENDS: Final = r";!?\n。！？；؟؛۔।"
"""What ends a sentence besides a full stop, in any script; for between brackets."""  # noqa: RUF001
_SENTENCE_END: Final = re.compile(rf"\.(?!\d)|(?<!\d)\.|[{ENDS}]+")
MAX_SENTENCE: Final = 2000
"""Characters of a sentence; a longer one is no prose, and what relates its parts is quadratic."""


def sentences_of(report: str) -> list[str]:
    """Split a report into lower-case sentences in one spelling of dashes, percent and about.

    What has no end for ``MAX_SENTENCE`` characters is cut between words.
    Terms in French and German are put into English, and what earlier studies showed is left out.
    """
    text = report.lower().translate(_SIGNS)
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    parts = [part for part in map(str.strip, _SENTENCE_END.split(text)) if part]
    return [_plain(piece) for part in parts for piece in _pieces(part)]


def _pieces(part: str) -> list[str]:
    if len(part) <= MAX_SENTENCE:
        return [part]
    return textwrap.wrap(part, MAX_SENTENCE, break_on_hyphens=False)


@lru_cache(maxsize=65536)
def _plain(sentence: str) -> str:
    """Return a sentence with its terms in English, and about this study alone."""
    for pattern, plain in (*_TERMS, *_EARLIER) if _FOREIGN.search(sentence) else _EARLIER:
        sentence = pattern.sub(plain, sentence)
    return sentence
