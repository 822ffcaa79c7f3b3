"""Names that may stand in a message: those of columns, never what a cell holds."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

MIN_LIKENESS = 0.6
MAX_SHOWN = 12
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
    """Return whether a name is sure to be a column's: of known words, or like one that is wanted.

    Args:
        name: What the first line of a file calls a column.
        wanted: The names that somebody looked for.
    """
    split_up = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W_]+", split_up.lower())
    known = bool(words) and len(words) <= 5 and all(word in WORDS for word in words)
    return known or any(likeness(name, other) >= MIN_LIKENESS for other in wanted)


def likeness(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1, whatever their case and blanks."""
    one, other = (re.sub(r"[\W_]+", "", name.lower()) for name in (one, other))
    return SequenceMatcher(None, one, other).ratio() if one and other else 0.0


def nearest_name(wanted: str, names: Sequence[str]) -> str | None:
    """Return the one of ``names`` most like ``wanted``, or None where none is."""
    best = max(names, key=lambda name: likeness(name, wanted), default=None)
    return best if best is not None and likeness(best, wanted) >= MIN_LIKENESS else None
