"""From a report to its facts, by the vocabulary that it is asked for."""

from cinelex.metrics.facts.measures import read_measures
from cinelex.metrics.facts.parse import Reading, read
from cinelex.metrics.facts.vocabulary import Vocabulary


def read_by(words: Vocabulary, report: str) -> Reading:
    """Return what a report states of what a vocabulary asks for."""
    return read(report) if words.reader == "coronary" else read_measures(report, words.name)
