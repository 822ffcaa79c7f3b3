"""The rules that read a table of predictions."""

from cinelex.doctor.rules.predictions import (
    compared,
    copies,
    coverage,
    numbers,
    order,
    people,
    texts,
)
from cinelex.doctor.rules.rule import Rule

PREDICTIONS: tuple[Rule, ...] = (
    *coverage.RULES,
    *order.RULES,
    *copies.RULES,
    *numbers.RULES,
    *people.RULES,
    *texts.RULES,
    *compared.RULES,
)
