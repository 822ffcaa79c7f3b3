"""The numbers that a run really has, each with the words of its name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.doctor.evidence import is_number
from cinelex.doctor.logs.records import read_record
from cinelex.projects.interface.results import FILE, Estimate, Results, read_results

_SYNONYMS = {
    r"\br\s?@\s?(\d+)": r"recall at \1",
    r"\brecall\s?@\s?(\d+)": r"recall at \1",
    r"\b(bleu|rouge)[-_ ]?([0-9l])\b": r"\1\2",
    r"\bf1\b": "f1",
    r"\blosses\b": "loss",
    r"\blr\b": "learning rate",
    r"\bmedr\b": "median rank",
    r"\btemp\b": "temperature",
    r"\bi2t\b": "image to text",
    r"\bt2i\b": "text to image",
    r"\s*(?:→|->)\s*": " to ",
    r"\b([a-z]+) to ([a-z]+)\b": r"\1 \2 \1to\2",
    r"\bwithin (\d+) (?:percentage )?points\b|\b(\d+)pp\b": r"pp\1\2",
}
_EMPTY = frozenset(
    ["a", "and", "at", "by", "final", "for", "in", "is", "last", "of", "on", "or", "the", "to"]
    + ["value", "was", "with"]
)
CONFIG = "config.yaml: "
RESULTS = f"{FILE}: "
ENDS = ("low", "high")
"""What the ends of an interval are called."""


@dataclass(frozen=True)
class RunNumber:
    """One number of a run."""

    name: str
    """Where it stands: ``results.json: retrieval/study_to_report/recall_at_1/value``."""
    words: frozenset[str]
    value: float

    @property
    def metric(self) -> frozenset[str]:
        """The words of the last part of the name that says what was measured."""
        parts = self.name.rpartition(": ")[2].split("/")
        named = [part for part in parts if part not in ("value", *ENDS)]
        kinds = ("first ", "last ", "least ", "greatest ")
        return words_in(re.sub(f"^({'|'.join(kinds)})", "", named[-1])) if named else frozenset()

    @property
    def role(self) -> str:
        """Whether it is a value, or the low or high end of its interval."""
        last = self.name.rpartition("/")[2]
        return last if last in ENDS else "value"

    @property
    def of_config(self) -> bool:
        """Whether it was set, not measured."""
        return self.name.startswith(CONFIG)


def words_in(text: str) -> frozenset[str]:
    """Return the words of a name or a sentence, with the field's abbreviations spelled out."""
    lowered = text.lower().replace("_", " ")
    for pattern, spelled in _SYNONYMS.items():
        lowered = re.sub(pattern, spelled, lowered)
    joined = re.sub(r"recall at (\d+)", r"recall recall\1", lowered)
    return frozenset(re.findall(r"[a-z]+\d*", joined)) - _EMPTY


def read_numbers(folder: Path) -> list[RunNumber]:
    """Return every number of ``results.json``, ``config.yaml`` and ``metrics.jsonl``.

    Of the record's metrics the first, the last, the least and the greatest value are taken.

    Raises:
        UserError: The folder is missing, a file is broken, or there is no number.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such run folder")
    numbers: list[RunNumber] = []
    results, config = read_results(folder), folder / "config.yaml"
    if results is not None:
        numbers += _of_results(results)
    if config.exists():
        numbers += _flatten(read_yaml(config).data, CONFIG, ())
    numbers += _of_record(folder / "metrics.jsonl")
    if not numbers:
        raise UserError(
            f"{folder}: holds no number; expected results.json, config.yaml or metrics.jsonl"
        )
    return numbers


def _of_results(results: Results) -> Iterator[RunNumber]:
    """Yield the numbers of an evaluation by the paths that they have in its file."""
    for name, count in results.counts.items():
        yield from _flatten(count, RESULTS, tuple(name.split(".")))
    for score in results.scores():
        path = tuple(score.name.split("."))
        yield from _flatten(Estimate.as_json(score), RESULTS, path)
        for name, null in score.nulls.items():
            if null.margin is None:
                yield from _flatten(null.value, RESULTS, (*path, name))
            else:
                whole = {**Estimate.as_json(null), "margin": null.margin.as_json()}
                yield from _flatten(whole, RESULTS, (*path, "baselines", name))
    for table in results.tables:
        yield from _flatten(list(table.rows), RESULTS, ("tables", table.name))


def _flatten(value: Any, file: str, path: tuple[str, ...]) -> Iterator[RunNumber]:
    if is_number(value):
        name = "/".join(path)
        yield RunNumber(file + name, words_in(" ".join(path)), float(value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flatten(inner, file, (*path, str(key)))
    elif isinstance(value, list):
        yield from _flatten(dict(enumerate(value)), file, path)


def _of_record(path: Path) -> Iterator[RunNumber]:
    for metric in read_record(path).metrics if path.exists() else ():
        words, values = words_in(metric.name.replace("/", " ")), metric.values.tolist()
        ends = {"first": values[0], "last": values[-1]}
        for kind, value in {**ends, "least": min(values), "greatest": max(values)}.items():
            yield RunNumber(f"metrics.jsonl: {kind} {metric.name}", words, value)
