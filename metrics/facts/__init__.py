"""Facts of reports: what is narrowed, where and by how much, read from text and compared."""

from cinelex.metrics.facts.fact import Fact
from cinelex.metrics.facts.parse import parse
from cinelex.metrics.facts.score import (
    COUNTS,
    FactScores,
    fact_counts,
    from_counts,
    rates,
    score_facts,
)

__all__ = [
    "COUNTS",
    "Fact",
    "FactScores",
    "fact_counts",
    "from_counts",
    "parse",
    "rates",
    "score_facts",
]
