"""Words of any script: letters beyond a-z count, and some scripts put no blank between words."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, Literal

UNSPACED: Final = (
    *((0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F)),  # Thai, Lao; Tibetan; Burmese
    *((0x1780, 0x17FF), (0x19E0, 0x19FF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)),  # Khmer; Burmese
    *((0x3005, 0x3007), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31F0, 0x31FF)),  # kana, bopomofo
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F)),  # Han; kana
    (0x20000, 0x3134F),
)
"""First and last code points of the scripts whose words no blank parts."""
UNSPACED_LETTERS: Final = "".join(f"{chr(low)}-{chr(high)}" for low, high in UNSPACED)
"""The same, for between the brackets of a regular expression."""
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_JOINERS: Final = "\u200c\u200d"

Kind = Literal["joined", "alone", "mark", "nothing", "sign", "blank"]


@lru_cache(maxsize=4096)
def kind_of(letter: str) -> Kind:
    """Return what a character does to the word that it stands in."""
    category = unicodedata.category(letter)
    if letter in _JOINERS:
        return "nothing"
    if category[0] == "M":
        return "mark"
    if category[0] in "LN":
        code = ord(letter)
        return "alone" if any(low <= code <= high for low, high in UNSPACED) else "joined"
    return "sign" if category[0] in "PS" else "blank"


def words(text: str) -> list[str]:
    """Return the lower-case words of a text: runs of letters and digits of any script.

    Where a script puts no blanks between words, each letter is one. A text of ASCII has the words
    that the package rouge-score finds.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    found: list[str] = []
    last: Kind = "blank"
    for letter in unicodedata.normalize("NFC", text).lower():
        kind = kind_of(letter)
        if kind == "nothing" or (kind == "mark" and last == "blank"):
            continue
        goes_on = kind == "mark" or (kind == "joined" and last == "joined")
        if goes_on:
            found[-1] += letter
        elif kind in ("joined", "alone"):
            found.append(letter)
        if kind != "mark":
            last = kind if kind in ("joined", "alone") else "blank"
    return found


def spaced(text: str) -> str:
    """Return a text with blanks around signs beyond ASCII, and around letters that need them.

    A tokenizer that knows blanks and the signs of ASCII alone then finds words in any script.
    """
    if text.isascii():
        return text
    parts = []
    for letter in unicodedata.normalize("NFC", text):
        kind = kind_of(letter)
        apart = kind == "alone" or (kind == "sign" and not letter.isascii())
        parts.append(f" {letter}" if apart else letter)
        parts.append(" " if kind == "sign" and apart else "")
    return re.sub(rf"(?<=[{UNSPACED_LETTERS}])(?=[^\W_])", " ", "".join(parts))


def beyond_ascii(texts: Iterable[str]) -> float:
    """Return the share of letters that are not a-z."""
    return _share(texts, lambda letter: not letter.isascii())


def unspaced(texts: Iterable[str]) -> float:
    """Return the share of letters of scripts that put no blanks between words."""
    return _share(texts, lambda letter: kind_of(letter) == "alone")


def _share(texts: Iterable[str], chosen: Callable[[str], bool]) -> float:
    letters = hits = 0
    for text in texts:
        own = [letter for letter in text if letter.isalpha()]
        letters += len(own)
        hits += sum(map(chosen, own))
    return hits / letters if letters else 0.0
