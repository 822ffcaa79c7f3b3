"""Facts of reports: what is narrowed, where and by how much, read from text and compared."""

from metrics.facts.fact import Fact
from metrics.facts.parse import parse
from metrics.facts.score import COUNTS, FactScores, fact_counts, from_counts, rates, score_facts

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
