"""The facts of a report as numbers that a model can be asked for, unknown where it is silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Float

from cinelex.metrics.facts.fact import STUDY
from cinelex.metrics.facts.lesions import Lesions, lesions_of
from cinelex.metrics.facts.parse import Reading
from cinelex.metrics.facts.readers import read_by
from cinelex.metrics.facts.vocabulary import Attribute, Vocabulary

Part = Literal["level", "value"]

UNKNOWN: Final = (np.nan, np.nan)


@dataclass(frozen=True)
class Column:
    """One number that is asked of a study.

    An extent has two: its ``level``, 0 where there is nothing, and its ``value`` given that there
    is something. The first learns where; the second is not pulled towards 0 by doubt.
    """

    attribute: str
    place: str
    """A place, a choice, or `STUDY`."""
    part: Part = "level"

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.attribute}.{self.place}.{self.part}"


def columns_of(vocabulary: Vocabulary) -> list[Column]:
    """Return what is asked of a study, in the order of the vocabulary."""
    columns: list[Column] = []
    for attribute in vocabulary.attributes:
        if attribute.kind == "extent":
            places = [place for parts in vocabulary.places.values() for place in parts]
            columns += [Column(attribute.name, place) for place in places]
            columns += [Column(attribute.name, place, "value") for place in places]
        elif attribute.kind == "choice":
            columns += [Column(attribute.name, choice) for choice in attribute.choices]
        else:
            columns.append(Column(attribute.name, STUDY))
    return columns


def fact_targets(
    reports: Sequence[str], vocabulary: Vocabulary, *, silence: Literal["vocabulary", "unknown"]
) -> Float[np.ndarray, "study column end"]:
    """Return the interval of each column that each report allows; NaN where it is silent.

    A denial is 0. A lesion of a whole vessel leaves the segments of that vessel unknown that the
    report does not name themselves.

    Args:
        reports: The texts.
        vocabulary: What is asked.
        silence: Whether silence means what the vocabulary says, or is unknown everywhere.
    """
    columns = columns_of(vocabulary)
    return np.array(
        [
            _row(read_by(vocabulary, report), vocabulary, columns, silence == "vocabulary")
            for report in reports
        ],
        dtype=np.float32,
    ).reshape(len(reports), len(columns), 2)


def _row(
    reading: Reading, vocabulary: Vocabulary, columns: Sequence[Column], silent: bool
) -> list[tuple[float, float]]:
    lesions, row = lesions_of(reading), dict[str, tuple[float, float]]()
    for attribute in vocabulary.attributes:
        means_absent = silent and attribute.silent == "absent" and bool(reading.facts)
        if attribute.kind == "extent":
            row |= _extents(attribute, lesions, vocabulary, means_absent)
        else:
            row |= _of_study(attribute, reading, means_absent)
    return [row.get(column.name, UNKNOWN) for column in columns]


def _extents(
    attribute: Attribute, lesions: Lesions, vocabulary: Vocabulary, means_absent: bool
) -> Mapping[str, tuple[float, float]]:
    speaks = means_absent and bool(lesions.positive or lesions.denied)
    row = {}
    for place, whole in vocabulary.whole_of.items():
        level, value = Column(attribute.name, place), Column(attribute.name, place, "value")
        fact = lesions.positive.get(place)
        if fact is not None:
            row[level.name] = row[value.name] = (fact.low, fact.high)
        elif whole in lesions.positive:
            continue
        elif speaks or {place, whole} & lesions.denied.keys():
            row[level.name] = (0.0, 0.0)
    return row


def _of_study(
    attribute: Attribute, reading: Reading, means_absent: bool
) -> Mapping[str, tuple[float, float]]:
    facts = [fact for fact in reading.facts if fact.attribute == attribute.name]
    whole = Column(attribute.name, STUDY).name
    if attribute.kind == "choice":
        named = {fact.segment for fact in facts if not fact.negated}
        if len(named) != 1:
            return {}
        chosen = named.pop()
        return {
            Column(attribute.name, choice).name: (float(choice == chosen),) * 2
            for choice in attribute.choices
        }
    if attribute.kind == "presence":
        if facts:
            return {whole: (max(fact.low for fact in facts), max(fact.high for fact in facts))}
        return {whole: (0.0, 0.0)} if means_absent else {}
    stated = [fact for fact in facts if not fact.negated]
    return {whole: (stated[0].low, stated[0].high)} if stated else {}
