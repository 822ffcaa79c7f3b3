"""What the check of a write-up says, as Markdown and as JSON."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cinelex.doctor.claims.match import Match, Status
from cinelex.doctor.claims.numbers import Number, numbers_in
from cinelex.doctor.claims.write_up import Table
from cinelex.metrics.equal_factor import EqualFactor, Rounded, equal_factor

STATUSES: tuple[Status, ...] = ("differs", "not found", "found")
"""As the report lists them: what is wrong comes first."""


@dataclass(frozen=True)
class FlaggedTable:
    """Two rows or columns of a table that differ by one factor."""

    line: int
    first: str
    second: str
    found: EqualFactor


def flag_tables(tables: Sequence[Table]) -> list[FlaggedTable]:
    """Return all pairs of columns, and of rows, in which every metric moved by the same factor."""
    return [flagged for table in tables for flagged in _flags(table)]


def render_claims(title: str, matches: Sequence[Match], flagged: Sequence[FlaggedTable]) -> str:
    """Return the report as Markdown: flagged tables, then every number, the wrong ones first."""
    counted = Counter(match.status for match in matches)
    counts = ", ".join(f"{counted[status]} {status}" for status in STATUSES)
    lines = [f"# {title}", "", f"{len(matches)} numbers: {counts}.", ""]
    for table in flagged:
        lines += [
            f"**Line {table.line}: not measured?** From {table.first} to {table.second} all "
            f"{len(table.found.names)} numbers moved by the same {table.found.change:.2%}; "
            f"independent changes agree so well with p {table.found.p_value:.1g}.",
            "",
        ]
    lines += ["| line | number | status | run | p | words |", "|---:|---:|---|---|---:|---|"]
    ordered = sorted(matches, key=lambda match: STATUSES.index(match.status))
    lines += [_row(match) for match in ordered]
    return "\n".join(lines) + "\n"


def claims_json(
    matches: Sequence[Match], flagged: Sequence[FlaggedTable]
) -> dict[str, list[dict[str, object]]]:
    """Return the same for programs."""
    return {
        "numbers": [
            {
                "line": match.claim.line,
                "number": match.claim.number.text,
                "status": match.status,
                "name": match.held.name if match.held else None,
                "value": match.held.value if match.held else None,
                "p_value": match.p_value,
            }
            for match in matches
        ],
        "tables": [
            {
                "line": table.line,
                "first": table.first,
                "second": table.second,
                "change": table.found.change,
                "p_value": table.found.p_value,
            }
            for table in flagged
        ],
    }


def _row(match: Match) -> str:
    number, held = match.claim.number, match.held
    printed = number.text + (" %" if number.percent else "")
    if number.relation != "=":
        printed = f"{number.relation} {printed}"
    has = f"`{held.name}` = {held.value:.6g}" if held else "–"
    words = match.claim.context.replace("|", "\\|")[:60]
    cells = (match.claim.line, printed, match.status, has, f"{match.p_value:.1%}", words)
    return f"| {' | '.join(map(str, cells))} |"


def _flags(table: Table) -> Iterator[FlaggedTable]:
    cells = [[_only_number(cell) for cell in row] for row in table.rows]
    columns: dict[str, dict[str, Rounded]] = {}
    rows: dict[str, dict[str, Rounded]] = {}
    for row_place, row in enumerate(cells):
        for place, number in enumerate(row[1:], start=1):
            if number is None or place >= len(table.header):
                continue
            rounded = Rounded(number.value, number.half_unit)
            row_name, column = table.rows[row_place][0], table.header[place]
            columns.setdefault(column, {})[row_name] = rounded
            rows.setdefault(row_name, {})[column] = rounded
    for sides in (columns, rows):
        for (first, before), (second, after) in itertools.combinations(sides.items(), 2):
            found = equal_factor(before, after)
            if found is not None:
                yield FlaggedTable(table.line, first, second, found)


def _only_number(cell: str) -> Number | None:
    """Return the number of a cell that holds one alone, with whatever words and signs around."""
    found = list(numbers_in(cell))
    return found[0] if len(found) == 1 else None
