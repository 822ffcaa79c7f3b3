"""What a run prints before its first step and after its last."""

from cinelex.config.schedule import schedule_table
from cinelex.config.schema import RunConfig
from cinelex.projects.interface.results import Results, Score


def schedule_lines(config: RunConfig) -> list[str]:
    """Return everything that changes over the run, at a few steps, as a table."""
    rows = schedule_table(config)
    head = "  ".join(f"{name:>{max(12, len(name))}}" for name in rows[0])
    return [
        head,
        *("  ".join(f"{value:>{max(12, len(n))}.4g}" for n, value in row.items()) for row in rows),
    ]


def summary_lines(results: Results) -> list[str]:
    """Return the main results by their headings, each with its interval and beside its nulls."""
    lines = []
    for group in results.groups:
        scores = [_line(score) for score in group.scores if score.headline]
        lines += [f"{group.title}: {group.note}", *scores] if scores else []
    return lines


def _line(score: Score) -> str:
    known = score.low is not None or score.high is not None
    interval = f" [{_number(score.low)}, {_number(score.high)}]" if known else ""
    nulls = [f"{n.replace('_', ' ')} {_number(null.value)}" for n, null in score.nulls.items()]
    beside = "; " + ", ".join(nulls) if nulls else ""
    return f"  {score.label}: {_number(score.value)}{interval}{beside}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
