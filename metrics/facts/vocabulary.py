"""What reports of a field state: places and attributes, read from the YAML file of the field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

Kind = Literal["extent", "number", "presence", "choice"]

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Attribute:
    """Something that reports say of a study or of its places."""

    name: str
    kind: Kind
    unit: str = ""
    choices: tuple[str, ...] = ()
    """What a choice is made from."""
    silent: Literal["unknown", "absent"] = "unknown"
    """What it means that a report says nothing of it."""
    terms: tuple[str, ...] = ()
    """Regular expressions of its names in a lower-case text, where terms are all that is read."""
    grades: bool = False
    """Whether its number is a grade that is said in words."""
    range: tuple[float, float] = (0.0, float("inf"))
    """What its number can be."""


@dataclass(frozen=True)
class Vocabulary:
    """The places and attributes of a field."""

    name: str
    places: Mapping[str, tuple[str, ...]]
    """Places by the vessel, or whatever whole, that they are parts of."""
    attributes: tuple[Attribute, ...]
    reader: Literal["coronary", "measures"] = "coronary"
    """What reads it in a report."""
    grades: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Regular expressions of grades, and the interval of each."""
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Regular expressions of what denies, doubts, says of a term that it is absent, ends the reach
    of a grade, and begins a sentence that goes on about the one before: ``negation``, ``doubt``,
    ``absent``, ``cut``, ``leans``."""

    clinical_weights: Mapping[str, float] = field(default_factory=dict)
    """How much a finding at each place, or in each whole, matters; 1 where nothing is said."""
    foreign: str = ""
    """Regular expression of what stands in a sentence of another language."""
    terms: tuple[tuple[str, str], ...] = ()
    """Regular expressions of terms in other languages, and what stands for each in English."""
    earlier: tuple[tuple[str, str], ...] = ()
    """Regular expressions of what earlier studies showed, and what is left of each."""

    @property
    def whole_of(self) -> dict[str, str]:
        """The whole that each place is a part of."""
        return {place: whole for whole, places in self.places.items() for place in places}


@cache
def vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary that ships under this name: ``coronary`` or ``echo``."""
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return Vocabulary(
        name=name,
        places={whole: tuple(parts) for whole, parts in content["places"].items()},
        attributes=tuple(
            Attribute(
                name=key,
                kind=entry["kind"],
                unit=entry.get("unit", ""),
                choices=tuple(entry.get("choices", ())),
                silent=entry.get("silent", "unknown"),
                terms=tuple(entry.get("terms", ())),
                grades=entry.get("grades", False),
                range=_ends(entry.get("range", [0.0, float("inf")])),
            )
            for key, entry in content["attributes"].items()
        ),
        reader=content["reader"],
        clinical_weights={k: float(v) for k, v in content.get("clinical_weights", {}).items()},
        foreign=content.get("foreign", ""),
        terms=tuple((term, english) for term, english in content.get("terms", ())),
        earlier=_spelled_out(content.get("earlier", {"words": {}, "phrases": []})),
        says={kind: tuple(words) for kind, words in content.get("says", {}).items()},
        grades={word: _ends(grade) for word, grade in content.get("grades", {}).items()},
    )


def _ends(value: float | int | list[float | int]) -> tuple[float, float]:
    """Return the two ends of an interval, or a number twice."""
    low, high = value if isinstance(value, list) else (value, value)
    return float(low), float(high)


def _spelled_out(earlier: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the phrases with each word in capitals replaced by what it stands for."""
    phrases = []
    for pattern, kept in earlier["phrases"]:
        for word, meaning in earlier["words"].items():
            pattern = pattern.replace(word, f"(?:{meaning})")
        phrases.append((pattern, kept))
    return tuple(phrases)
