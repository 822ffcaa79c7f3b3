"""What a run prints before its first step and after its last."""

from itertools import zip_longest
from textwrap import shorten

from cinelex.config.schedule import schedule_table
from cinelex.config.schema import RunConfig
from cinelex.core.entry import prog
from cinelex.projects.interface.results import Group, Null, Results, Score, null_words

MAX_SCORES = 18
"""Lines of scores, so that a summary and what stands around it fit a terminal of 24 lines."""
SCRIPTS = ("bash scripts/doctor.sh", "bash scripts/runs.sh")
"""For who has no ``cinelex`` on the path."""
LABEL, VALUE, INTERVAL, NULL = 48, 8, 18, 23
"""Columns of a line of the summary, 100 in all; a heading gives way to its score."""


def schedule_lines(config: RunConfig) -> list[str]:
    """Return everything that changes over the run, at a few steps, as a table."""
    rows = schedule_table(config)
    head = "  ".join(f"{name:>{max(12, len(name))}}" for name in rows[0])
    return [
        head,
        *("  ".join(f"{value:>{max(12, len(n))}.4g}" for n, value in row.items()) for row in rows),
    ]


def summary_lines(results: Results) -> list[str]:
    """Return the main results on a screen: value, interval, and the null that is hardest to beat.

    Where there are more than fit, every heading keeps its first ones, and the last line says how
    many are left to the page.
    """
    found = [
        (group, [score for score in group.scores if score.headline]) for group in results.groups
    ]
    by_place = zip_longest(*([(group, score) for score in scores] for group, scores in found))
    in_turn = [pair for row in by_place for pair in row if pair is not None]
    if not in_turn:
        return []
    shown = {id(score) for _, score in in_turn[:MAX_SCORES]}
    lines = [
        _line(group, score) for group, scores in found for score in scores if id(score) in shown
    ]
    left = len(in_turn) - len(lines)
    more = [f"{left} more scores, and every null of each, are in the report"] if left else []
    head = _columns("score", "value", "95 % interval", "the hardest null")
    return [head, *lines, *more]


def next_lines(run: str) -> list[str]:
    """Return what somebody does next with a run that was evaluated."""
    doctor, runs = ("cinelex doctor", "cinelex runs") if prog("") else SCRIPTS
    return [
        "next: open the report and read the nulls first, then",
        f"  {doctor} check {run}  # what is wrong, and which key changes it",
        f"  {runs} show {run}  # every headline score with all its nulls",
    ]


def to_beat(score: Score) -> dict[str, Null]:
    """Return the known nulls but those that know more than a model may."""
    return {
        name: null
        for name, null in score.nulls.items()
        if null.value is not None and name not in score.bounds
    }


def hardest(score: Score) -> tuple[str, Null] | None:
    """Return the best of the nulls that a score has to beat; None where it has none."""
    if not (fair := to_beat(score)):
        return None
    sign = -1 if score.better == "lower" else 1
    return max(fair.items(), key=lambda item: sign * (item[1].value or 0.0))


def _line(group: Group, score: Score) -> str:
    room = LABEL - len(score.label) - 2
    title = group.title if len(group.title) <= room else f"{group.title[: max(0, room - 1)]}…"
    label = f"{title}: {score.label}"[:LABEL]
    known = score.low is not None or score.high is not None
    interval = f"[{_number(score.low)}, {_number(score.high)}]" if known else ""
    null = hardest(score)
    return _columns(label, _number(score.value), interval, "" if null is None else _null(*null))


def _null(name: str, null: Null) -> str:
    value = _number(null.value)
    return f"{shorten(null_words(name), NULL - len(value) - 1, placeholder='…')} {value}"


def _columns(label: str, value: str, interval: str, null: str) -> str:
    return f"{label:<{LABEL}} {value:>{VALUE}} {interval:<{INTERVAL}} {null}".rstrip()


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"
