"""Names that may stand in a message: those of columns, never what a cell holds."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

MIN_LIKENESS = 0.6
SPELLING = 0.75
"""Likeness from which a word is another one misspelt."""
MAX_SHOWN = 12
MAX_WORDS = 5
NAMED = (
    "accession age angle angles anonymized birth body category caption captions case cine class "
    "clip code column comment conclusion conclusions cranial caudal dataset date day description "
    "device diagnosis dicom document ed ef end exam examination file filename finding findings "
    "fold folder format frame frames full gender group hash height history hospital id identifier "
    "ids image images impression index indication institution instance key label labels language "
    "lao length link location machine manufacturer mask mm modality model month mrn mse name no "
    "noise note notes num number of order original page part partition path patient physician "
    "positioner primary projection quality rao raw report reports result root row sample "
    "secondary section series set sex shape site size source split splits start status store "
    "study studies subgroup subject subset system tag target text time title transcript type uid "
    "url user vendor version video videos view views visit volume weight width year "
)
WORDS = frozenset(NAMED.split())
"""Words that columns are called by; a name of other words may be content of a file without a header
and is not repeated."""


def shown(name: str, *, wanted: Iterable[str] = ()) -> bool:
    """Return whether a name is sure to be a column's: of known words, or of misspelt wanted ones.

    Args:
        name: What the first line of a file calls a column.
        wanted: The names that somebody looked for.
    """
    words = _words(name)
    meant = [word for other in wanted for word in _words(other)]
    return 0 < len(words) <= MAX_WORDS and all(
        word in WORDS or any(_alike(word, other) >= SPELLING for other in meant) for word in words
    )


def nearest_name(wanted: str, names: Sequence[str]) -> str | None:
    """Return the one of ``names`` most like ``wanted`` that may be shown, or None."""
    safe = [name for name in names if shown(name, wanted=[wanted])]
    scores = {name: _alike("".join(_words(name)), "".join(_words(wanted))) for name in safe}
    best = max(safe, key=lambda name: scores[name], default=None)
    return best if best is not None and scores[best] >= MIN_LIKENESS else None


def _words(name: str) -> list[str]:
    split_up = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", split_up.lower())


def _alike(one: str, other: str) -> float:
    """Return how alike two words are, from 0 to 1."""
    return SequenceMatcher(None, one, other).ratio()
