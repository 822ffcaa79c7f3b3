"""What an evaluation finds, in the one form that everybody reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinelex.core.files import read_json
from cinelex.projects.interface.exhibits import Picture, Table
from cinelex.projects.interface.plain import (
    counts,
    find,
    finite,
    interval,
    mapping,
    mappings,
    number,
    put,
    scored,
    texts,
)
from cinelex.projects.interface.terms import Better

FILE = "results.json"
HASHES = ("config", "data", "code", "checkpoint")
"""What every result can be traced by."""
ABOUT = ("label", "unit", "better", "variant", "undefined", "bounds", "headline")
RESERVED = ("value", "low", "high", "baselines", *ABOUT)
"""Keys of a score in ``results.json`` that are no null."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its 95 % interval; each None where it is undefined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """Return it as ``results.json`` holds it."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        return {name: finite(end) for name, end in ends.items()}


@dataclass(frozen=True, kw_only=True)
class Null(Estimate):
    """What chance, a constant answer, collapse or a method without training scores."""

    margin: Estimate | None = None
    """The score minus this null, paired by item; None where the null was not measured on items."""


def null_words(name: str) -> str:
    """Return the name of a null as people read it."""
    return name.replace("studys", "study's").replace("tubelets", "tubelet's").replace("_", " ")


def nulls_of(values: Mapping[str, float | None]) -> dict[str, Null]:
    """Return nulls that are one number each."""
    return {name: Null(value=value) for name, value in values.items()}


@dataclass(frozen=True, kw_only=True)
class Score(Estimate):
    """One measured number beside its nulls."""

    name: str
    """Its path in ``results.json``, by dots: ``retrieval.study_to_report.recall_at_1``."""
    label: str
    """What pages call it."""
    nulls: Mapping[str, Null] = field(default_factory=dict)
    unit: str = ""
    """``share`` for a part of 1, which pages show in per cent; ``rank``, ``dB``, ``nats`` …"""
    better: Better | None = None
    """Which way is better; None where neither is."""
    variant: str = ""
    """Which of the many scores of that name it is."""
    undefined: str = ""
    """Why there is no value, where that is known."""
    bounds: Sequence[str] = ()
    """Names of the nulls that know more than a model may, so that it does not have to beat them."""
    headline: bool = False
    """Whether the summary of a run shows it."""

    def as_json(self) -> dict[str, Any]:
        """Return it as ``results.json`` holds it: a null that is one number stands beside it."""
        plain = {
            name: finite(null.value) for name, null in self.nulls.items() if null.margin is None
        }
        measured = {
            name: {**Estimate.as_json(null), "margin": null.margin.as_json()}
            for name, null in self.nulls.items()
            if null.margin is not None
        }
        about = {key: getattr(self, key) for key in ABOUT if getattr(self, key)}
        baselines = {"baselines": measured} if measured else {}
        return {**Estimate.as_json(self), **plain, **baselines, **about}

    @classmethod
    def from_json(cls, name: str, entry: Mapping[str, Any]) -> "Score":
        """Return what ``as_json`` wrote; what is missing or no number is None."""
        nulls = {
            key: Null(value=number(value))
            for key, value in entry.items()
            if key not in RESERVED and (value is None or number(value) is not None)
        }
        for key, measured in mapping(entry.get("baselines")).items():
            margin = Estimate(**interval(mapping(mapping(measured).get("margin"))))
            nulls[key] = Null(**interval(mapping(measured)), margin=margin)
        better = entry.get("better")
        return cls(
            name=name,
            label=str(entry.get("label") or name.rsplit(".", 1)[-1]),
            nulls=nulls,
            unit=str(entry.get("unit") or ""),
            better=better if better in ("higher", "lower") else None,
            variant=str(entry.get("variant") or ""),
            undefined=str(entry.get("undefined") or ""),
            bounds=tuple(str(name) for name in entry.get("bounds") or ()),
            headline=entry.get("headline") is True,
            **interval(entry),
        )


def headline(
    name: str, label: str, value: float | None, nulls: Mapping[str, float | None], **about: Any
) -> Score:
    """Return a score that the summary shows; ``about`` is its unit, its interval and ``better``."""
    return Score(name=name, label=label, value=value, nulls=nulls_of(nulls), headline=True, **about)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Scores under one heading."""

    title: str
    note: str
    """On what they were measured, and what the nulls are."""
    scores: Sequence[Score]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that an evaluation found."""

    groups: Sequence[Group]
    counts: Mapping[str, int] = field(default_factory=dict)
    """Sizes of galleries, numbers of queries …, by their path in ``results.json``."""
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    others: Sequence[Score] = ()
    """What no group names, as in files of other versions; pages do not show it."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Hashes of config, data, code and checkpoint, measured with the results."""

    def scores(self) -> Iterator[Score]:
        """Yield every score, those of groups first, in the order of the page."""
        for group in self.groups:
            yield from group.scores
        yield from self.others

    def score(self, name: str) -> Score | None:
        """Return the score of a name; None where there is none."""
        return next((score for score in self.scores() if score.name == name), None)

    def called(self, score: Score) -> str:
        """Return what pages call a score, below its heading: ``Facts: Flow, mean error``."""
        titles = (group.title for group in self.groups if score in group.scores)
        return f"{next(titles, score.name.partition('.')[0])}: {score.label}"

    def below(self, section: str) -> dict[str, Score]:
        """Return the scores of a section, ``losses`` or ``captioning``, by their last name."""
        parted = ((score.name.rpartition("."), score) for score in self.scores())
        return {last: score for (above, _, last), score in parted if above == section}

    def as_json(self) -> dict[str, Any]:
        """Return ``results.json``: each number at its own path, and how pages group them.

        Raises:
            ValueError: Two numbers have one path.
        """
        tree: dict[str, Any] = {}
        for score in self.scores():
            put(tree, score.name, score.as_json())
        for name, count in self.counts.items():
            put(tree, name, count)
        groups = [
            {"title": one.title, "note": one.note, "scores": [score.name for score in one.scores]}
            for one in self.groups
        ]
        tables = [table.as_json() for table in self.tables]
        pictures = [picture.as_json() for picture in self.pictures]
        listed = {"groups": groups, "tables": tables, "pictures": pictures}
        hashes = {"provenance": dict(self.provenance)} if self.provenance else {}
        return {**tree, **listed, **hashes}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Results":
        """Return what ``as_json`` wrote; what a damaged file lacks is left out."""
        groups = [
            Group(**texts(entry, "title", "note"), scores=_scores(content, entry))
            for entry in mappings(content.get("groups"))
        ]
        named = {score.name for group in groups for score in group.scores}
        return cls(
            groups=groups,
            others=tuple(
                Score.from_json(name, entry) for name, entry in scored(content) if name not in named
            ),
            provenance=mapping(content.get("provenance")),
            counts=dict(counts(content)),
            tables=[
                Table(**texts(entry, "name", "title", "note"), rows=mappings(entry.get("rows")))
                for entry in mappings(content.get("tables"))
            ],
            pictures=[
                Picture(**texts(entry, "title", "note"), path=Path(str(entry.get("path", ""))))
                for entry in mappings(content.get("pictures"))
            ],
        )


def _scores(content: Mapping[str, Any], group: Mapping[str, Any]) -> list[Score]:
    """Return the scores that a group names, as far as they are there."""
    names = [name for name in group.get("scores") or () if isinstance(name, str)]
    found = ((name, find(content, name)) for name in names)
    return [Score.from_json(name, entry) for name, entry in found if entry is not None]


def read_results(folder: Path) -> Results | None:
    """Return what a run's evaluation found; None where its folder holds no results.

    Raises:
        UserError: ``results.json`` is no JSON; the message says where.
    """
    path = folder / FILE
    content = mapping(read_json(path)) if path.exists() else {}
    return Results.from_json(content) if content else None
