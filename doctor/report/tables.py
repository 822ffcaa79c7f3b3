"""The one table of the report page: scores beside what knows nothing would score."""

from collections.abc import Sequence
from typing import NamedTuple

from cinelex.doctor.charts import short
from cinelex.doctor.templates import Tile
from cinelex.projects.interface.results import Estimate, Group, Null, Results, Score, null_words
from cinelex.runners.summary import hardest, to_beat

PERCENT = "\u00a0%"
"""A space that does not break, and the sign."""
DASH = "–"
_CHANCE = "chance"
_PLAIN = ("", "share", "rank")
"""Units that are not written down; only these have a natural zero, or first rank, for a ratio."""
_NARROW = 2
"""A table of more nulls takes the whole width of the page."""


class Bar(NamedTuple):
    """Positions, in per cent of a line, of a value, its interval and its null."""

    value: float
    low: float
    high: float
    null: float


class Cell(NamedTuple):
    """A number and its 95 % interval as text; empty where there is none."""

    text: str = ""
    interval: str = ""


class Row(NamedTuple):
    """One score beside the nulls of its table."""

    score: Score
    unit: str
    """Empty for a plain number."""
    value: Cell
    nulls: Sequence[Cell]
    """In the table's order; empty where the score has no such null."""
    times: str
    """How many times better than chance; empty where that says nothing."""
    significant: bool | None
    """Whether the whole interval is beyond every null; None where nobody can say."""
    verdict: str
    """The same in words."""
    bar: Bar | None


class ScoreTable(NamedTuple):
    """Scores under a heading."""

    title: str
    note: str
    nulls: Sequence[str]
    rows: Sequence[Row]
    wide: bool
    """Whether it takes the whole width, and has room for verdicts in words."""


def score_table(group: Group) -> ScoreTable:
    """Return a group of scores as a table with a column for each of their nulls."""
    nulls = list(dict.fromkeys(name for score in group.scores for name in score.nulls))
    rows = [_row(score, nulls) for score in group.scores]
    heads = [null_words(null) for null in nulls]
    return ScoreTable(group.title, group.note, heads, rows, wide=len(nulls) > _NARROW)


def tiles(results: Results) -> list[Tile]:
    """Return each group's first headline that can be better or worse, beside its hardest null."""
    shown = [
        (group.title, next((one for one in group.scores if one.headline and one.better), None))
        for group in results.groups
    ]
    return [tile(title, score) for title, score in shown if score is not None]


def beyond(score: Score, null: Null) -> bool | None:
    """Return whether a score is better than a null with its whole 95 % interval.

    Where the two were measured on the same items, the interval is of their paired difference. None
    where either is undefined, where neither way is better, or where a better score has no interval.
    """
    if score.better is None or score.value is None or null.value is None:
        return None
    sign = 1 if score.better == "higher" else -1
    paired = null.margin is not None and null.margin.low is not None
    interval, line = (null.margin, 0.0) if paired else (score, null.value)
    assert interval is not None
    near = interval.low if sign > 0 else interval.high
    if near is None:
        return None if sign * (score.value - null.value) > 0 else False
    return sign * (near - line) > 0


def text_of(value: float | None, unit: str) -> str:
    """Return a number as text: a share in per cent, a dash where it is undefined."""
    if value is None:
        return DASH
    return f"{100 * value:.1f}{PERCENT}" if unit == "share" else short(value)


def _cell(estimate: Estimate, unit: str) -> Cell:
    if estimate.low is None or estimate.high is None:
        return Cell(text_of(estimate.value, unit))
    low = text_of(estimate.low, unit).removesuffix(PERCENT)
    return Cell(text_of(estimate.value, unit), f"{low} – {text_of(estimate.high, unit)}")


def _row(score: Score, nulls: Sequence[str]) -> Row:
    significant, verdict = _verdict(score)
    found = [score.nulls.get(null) for null in nulls]
    return Row(
        score=score,
        unit="" if score.unit in _PLAIN else score.unit,
        value=_cell(score, score.unit),
        nulls=[Cell() if null is None else _cell(null, score.unit) for null in found],
        times=_times(score),
        significant=significant,
        verdict=verdict,
        bar=_bar(score),
    )


def _verdict(score: Score) -> tuple[bool | None, str]:
    """Return whether a score is significant, and which nulls it is not beyond."""
    if score.better is None:
        return None, ""
    if score.value is None:
        return None, "undefined"
    found = {null_words(name): beyond(score, null) for name, null in to_beat(score).items()}
    failed = [name for name, past in found.items() if past is False]
    if not found:
        # what knows more than a model may is no null to beat, and stands beside it all the same
        return None, "" if score.nulls else "no null"
    if failed:
        every = 1 < len(failed) == len(found)
        return False, f"not beyond {'any null' if every else ', '.join(failed)}"
    return (None, "better, no interval") if None in found.values() else (True, "significant")


def _times(score: Score) -> str:
    chance = score.nulls.get(_CHANCE)
    if score.better is None or score.unit not in _PLAIN or chance is None:
        return ""
    if not score.value or not chance.value or score.value < 0 or chance.value < 0:
        return ""
    lower = score.better == "lower"
    ratio = chance.value / score.value if lower else score.value / chance.value
    return f"{ratio:.1f}\u00a0×" if ratio < 10 else f"{ratio:.0f}\u00a0×"


def _bar(score: Score) -> Bar | None:
    """Return the positions on a bar from 0 to 1, or from rank 1 to twice the rank of chance."""
    chance = score.nulls.get(_CHANCE)
    if chance is None or chance.value is None or score.value is None or score.unit not in _PLAIN:
        return None
    low = score.value if score.low is None else score.low
    high = score.value if score.high is None else score.high
    numbers = [score.value, low, high, chance.value]
    if score.unit == "rank":
        reach = max(2 * (chance.value - 1), 1e-9)
        numbers = [(number - 1) / reach for number in numbers]
    if score.better is None or not all(0 <= number <= 1 for number in numbers):
        return None
    return Bar(*(100 * number for number in numbers))


def tile(title: str, score: Score) -> Tile:
    """Return a score beside its hardest null."""
    cell, (significant, verdict) = _cell(score, score.unit), _verdict(score)
    found, times = hardest(score), _times(score)
    null = "no null"
    if found is not None:
        null = f"{null_words(found[0])} {text_of(found[1].value, score.unit)}"
    alone = significant and times and len(to_beat(score)) == 1
    return Tile(
        label=f"{score.label}, {title[:1].lower()}{title[1:]}",
        value=cell.text,
        null=null,
        interval=f"95 %: {cell.interval}" if cell.interval else "no interval",
        verdict=f"{times} chance" if alone else verdict,
        significant=significant,
    )
