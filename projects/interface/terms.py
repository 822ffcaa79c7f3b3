"""What is known of a loss term, said once, by the project that has it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cinelex.config.schema import RunConfig
from cinelex.projects.interface.contrast import Contrast

Better = Literal["higher", "lower"]

TEMPERATURE_KEYS = ("temperature", "learn_temperature", "temperature_range")
"""Keys of a config that decide the temperature, and so rescale every term that it divides."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss term, whatever its value; pages, rules and sweeps read it here and nowhere else."""

    name: str
    """Its name in the record (``loss/<name>``), in the results, and in ``loss_weights``."""
    label: str
    """What pages call it."""
    unit: str
    """What one of it is: ``nats per study``, ``nats per token``, ``dB²`` …"""
    weighted: bool = True
    """Whether it may have a weight; if not, it is recorded only."""
    better: Better = "lower"
    matches: bool = False
    """Whether it draws the embedding of each sample to that of its own partner, so that a trained
    model finds it."""
    contrast: Callable[[RunConfig], Contrast] | None = None
    """Which form of contrast it is under a config, if it is one: the temperature divides its
    cosines, so that it has a headroom."""
    unit_keys: tuple[str, ...] = ()
    """Keys and sections of a config that change what one unit of it means, whatever is learned."""


def by_name(*terms: Term) -> Mapping[str, Term]:
    """Return terms as the table of a project."""
    return {term.name: term for term in terms}


@dataclass(frozen=True, kw_only=True)
class TermNulls:
    """What a term is on one batch for a model that knows nothing, and at its least."""

    chance: float | None = None
    """None where no number of the batch tells it."""
    floor_at: Callable[[float], float] | None = None
    """From the temperature of the step to the least that any model reaches; None where it is 0."""
