"""The tables of the report page: every number beside what knows nothing would score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cinelex.doctor.report.names import (
    BASELINES,
    CAPTIONING,
    COSINES,
    DIRECTIONS,
    PERCENT,
    REPRESENTATION,
    RETRIEVAL,
    TERMS,
    Name,
    name_of,
)

Entry = Mapping[str, Any]
RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Scale:
    """Places, in per cent of a bar, of a value, its interval and its null."""

    value: float
    low: float
    high: float
    null: float


@dataclass(frozen=True)
class ChanceRow:
    """One number beside chance."""

    label: str
    value: str
    interval: str
    chance: str
    times: str
    """How many times better than chance, or a dash."""
    clear: bool | None
    """Whether the whole interval is better than chance; None if undefined."""
    scale: Scale | None


@dataclass(frozen=True)
class BaselineRow:
    """One number beside what trivial answers score."""

    label: str
    value: str
    interval: str
    baselines: tuple[tuple[str, str], ...]
    """Value and interval of each baseline as text, in the table's order."""
    verdict: str
    """Which baselines it does not beat, or that it beats all."""
    clear: bool | None
    variant: str
    """Which of the scores of that name it is; empty where there is but one."""


@dataclass(frozen=True)
class Table(Generic[RowT]):
    """Rows under a heading."""

    title: str
    note: str
    rows: tuple[RowT, ...]
    columns: tuple[str, ...] = ()


def retrieval_tables(results: Mapping[str, Any]) -> list[Table[ChanceRow]]:
    """Return one table for each direction of search that was evaluated."""
    retrieval = results.get("retrieval") or {}
    tables = []
    for direction, title in DIRECTIONS.items():
        if direction not in retrieval:
            continue
        gallery = (retrieval.get("gallery") or {}).get(direction)
        queries = retrieval.get("queries")
        if isinstance(queries, Mapping):
            queries = queries.get(direction)
        rows = tuple(
            chance_row(name_of(RETRIEVAL, key), entry, gallery=gallery)
            for key, entry in _known_first(RETRIEVAL, retrieval[direction])
        )
        note = f"{queries} queries, gallery of {gallery}"
        tables.append(Table(title, note, rows))
    return tables


def cosine_table(results: Mapping[str, Any]) -> Table[ChanceRow] | None:
    """Return the mean cosines, or None if they were not evaluated."""
    retrieval = results.get("retrieval") or {}
    rows = tuple(
        chance_row(name, retrieval[key]) for key, name in COSINES.items() if key in retrieval
    )
    note = "chance 0: random directions for the two levels, shuffled pairs for the gap"
    return Table("Cosines", note, rows) if rows else None


def captioning_table(results: Mapping[str, Any]) -> Table[BaselineRow] | None:
    """Return the caption metrics beside their baselines, or None if there were no captions."""
    captioning = {
        key: entry
        for key, entry in (results.get("captioning") or {}).items()
        if isinstance(entry, Mapping) and "value" in entry
    }
    if not captioning:
        return None
    present: set[str] = {
        name for entry in captioning.values() for name in entry.get("baselines") or {}
    }
    order = [name for name in BASELINES if name in present] + sorted(present - set(BASELINES))
    rows = tuple(
        baseline_row(name_of(CAPTIONING, key), entry, order=order)
        for key, entry in _known_first(CAPTIONING, captioning)
    )
    columns = tuple(BASELINES.get(name, name) for name in order)
    return Table("Captions", "", rows, columns)


@dataclass(frozen=True)
class NullsRow:
    """One number beside several nulls, each with its name."""

    label: str
    value: str
    nulls: tuple[tuple[str, str], ...]
    clear: bool | None
    interval: str = ""
    """Its 95 % interval, where there is one."""


def loss_rows(results: Mapping[str, Any]) -> list[NullsRow]:
    """Return each held-out loss term beside its chance and its other nulls."""
    losses = results.get("losses") or {}
    return [
        _nulls_row(Name(TERMS.get(term, term), lower_is_better=True), entry)
        for term, entry in losses.items()
    ]


def representation_rows(results: Mapping[str, Any]) -> list[NullsRow]:
    """Return what the geometry of the embeddings is, beside collapsed and random ones."""
    entries = results.get("representation") or {}
    return [
        _nulls_row(REPRESENTATION.get(key, Name(key, judged=False)), entry)
        for key, entry in entries.items()
    ]


def _nulls_row(name: Name, entry: Entry) -> NullsRow:
    """Return a row with every null of the entry; a judged one must be below its chance."""
    value, chance = entry.get("value"), entry.get("chance")
    nulls = tuple(
        (key.replace("_", " "), name.text(null))
        for key, null in entry.items()
        if key not in ("value", "low", "high") and isinstance(null, int | float)
    )
    clear = None if not name.judged or value is None or chance is None else value < chance
    return NullsRow(name.label, name.text(value), nulls, clear)


def chance_row(name: Name, entry: Entry, *, gallery: int | None = None) -> ChanceRow:
    """Return a number beside chance, and by how many times it is better."""
    value, chance = entry.get("value"), entry.get("chance")
    low, high = entry.get("low"), entry.get("high")
    clear = None
    if name.judged and value is not None and chance is not None:
        near = high if name.lower_is_better else low
        near = value if near is None else near
        clear = near < chance if name.lower_is_better else near > chance
    return ChanceRow(
        label=name.label,
        value=name.text(value),
        interval=interval_text(name, low, high),
        chance=name.text(chance),
        times=_times(value, chance, lower=name.lower_is_better),
        clear=clear,
        scale=_scale(name, entry, gallery=gallery),
    )


def baseline_row(name: Name, entry: Entry, *, order: list[str]) -> BaselineRow:
    """Return a number beside its baselines, and which of them it does not clearly beat."""
    value, baselines = entry.get("value"), entry.get("baselines") or {}
    unbeaten = [
        BASELINES.get(key, key)
        for key in order
        if value is not None and _not_beaten(value, baselines.get(key), name.lower_is_better)
    ]
    clear = None if value is None or not baselines or not name.judged else not unbeaten
    verdict = "undefined" if value is None else "" if not name.judged else "no baseline"
    if clear is not None:
        verdict = "beats all baselines" if clear else "does not beat " + ", ".join(unbeaten)
        verdict = "beats no baseline" if len(unbeaten) == len(order) else verdict
    texts = tuple(_texts(name, baselines.get(key) or {}) for key in order)
    interval = interval_text(name, entry.get("low"), entry.get("high"))
    variant = str(entry.get("variant") or "")
    return BaselineRow(name.label, name.text(value), interval, texts, verdict, clear, variant)


def _texts(name: Name, entry: Entry) -> tuple[str, str]:
    interval = interval_text(name, entry.get("low"), entry.get("high"))
    return name.text(entry.get("value")), interval


def interval_text(name: Name, low: float | None, high: float | None) -> str:
    """Return a 95 % interval as text; a dash where it is undefined."""
    if low is None or high is None:
        return "–"
    return f"{name.text(low).removesuffix(PERCENT)} – {name.text(high)}"


def _not_beaten(value: float, baseline: Entry | None, lower: bool) -> bool:
    """Return whether a value lies within, or on the wrong side of, a baseline's interval."""
    if not baseline or baseline.get("value") is None:
        return False
    end = baseline.get("low") if lower else baseline.get("high")
    end = baseline["value"] if end is None else end
    return bool(value >= end if lower else value <= end)


def _times(value: float | None, chance: float | None, *, lower: bool) -> str:
    if value is None or not chance or value < 0 or (lower and value == 0):
        return "–"
    ratio = chance / value if lower else value / chance
    return f"{ratio:.1f}\u00a0×" if ratio < 10 else f"{ratio:.0f}\u00a0×"


def _scale(name: Name, entry: Entry, *, gallery: int | None) -> Scale | None:
    """Return the places on a bar from 0 to 1, or from rank 1 to the gallery's last."""
    value, chance = entry.get("value"), entry.get("chance")
    if value is None or chance is None:
        return None
    low = value if entry.get("low") is None else entry["low"]
    high = value if entry.get("high") is None else entry["high"]
    numbers = (value, low, high, chance)
    if name.lower_is_better and gallery and gallery > 1:
        numbers = tuple((number - 1) / (gallery - 1) for number in numbers)
    if not all(0 <= number <= 1 for number in numbers):
        return None
    return Scale(*(100 * number for number in numbers))


def _known_first(names: Mapping[str, Name], entries: Mapping[str, Any]) -> list[tuple[str, Any]]:
    known = [(key, entries[key]) for key in names if key in entries]
    return known + [(key, entry) for key, entry in entries.items() if key not in names]
