"""What a run finds in a study, as records that a user reads: facts, and the nearest reports."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from cinelex.projects.multitask.fact_reading import FactReader


@dataclass(frozen=True)
class Fact:
    """What was found of one attribute at one place of a study."""

    attribute: str
    """Such as ``stenosis``."""
    place: str
    """Such as ``mid LAD``, or the name of an alternative; empty where there is only one."""
    probability: float | None
    """That it is there, calibrated; None of a number that is always there."""
    value: float | None
    """How much, in the attribute's unit, given that it is there; None where it has no number."""


@dataclass(frozen=True)
class Match:
    """A report that was found for a study."""

    report: str
    cosine: float
    """In [-1, 1]; comparable only within one search."""


def facts_of(reader: FactReader, answers: Float[Tensor, "study fact"]) -> list[list[Fact]]:
    """Return every fact that was asked for, of each study, in the vocabulary's order."""
    table = answers.numpy()
    found: list[list[Fact]] = [[] for _ in table]
    for attribute in reader.vocabulary.attributes:
        places = [reader.columns[n].place for n in reader.places(attribute, "level")]
        if not places:
            continue
        chances = reader.probabilities(attribute, table) if attribute.kind != "number" else None
        values = reader.numbers(attribute, table) if attribute.name in reader.scale else None
        for row, study in enumerate(found):
            for column, place in enumerate(places):
                chance = None if chances is None else float(chances[row, column])
                value = None if values is None else float(values[row, column])
                study.append(Fact(attribute.name, place, chance, value))
    return found
