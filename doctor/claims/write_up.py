"""Tables and sentences of a Markdown file, each number with the words that say what it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.doctor.claims.numbers import Number
from cinelex.doctor.claims.pieces import INTERVAL, Role, named_by, pieces_of

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_LIST_MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_CLAUSE = re.compile(r"[.;](?=\s|$)|,\s(?![^\[(]*[\])])")
"""Where a clause ends; a comma in brackets ends none."""
_INLINE_CODE = re.compile(r"`[^`]*`")


@dataclass(frozen=True)
class Claim:
    """A number of the write-up."""

    line: int
    """From 1."""
    context: str
    """The words that say what it is: row and column of a table, or the clause of a sentence."""
    number: Number
    role: Role = "value"
    """Whether it is a value, or an end of a value's interval."""


@dataclass(frozen=True)
class Table:
    """A Markdown table."""

    line: int
    """Of its header, from 1."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class WriteUp:
    """What a Markdown file claims."""

    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]


def read_write_up(path: Path) -> WriteUp:
    """Return the claims of a Markdown file; code blocks and headings make none.

    Raises:
        UserError: The file is missing, not UTF-8, or holds no number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: not UTF-8 at byte {problem.start}") from None
    lines = _without_code(lines)
    tables = list(_tables(lines))
    inside = {table.line + k for table in tables for k in range(len(table.rows) + 2)}
    claims = [claim for table in tables for claim in _table_claims(table)]
    for place, line in enumerate(lines, start=1):
        if place not in inside and not line.lstrip().startswith("#"):
            claims += _sentence_claims(place, _LIST_MARK.sub("", line))
    if not claims:
        raise UserError(f"{path}: no number in its tables or sentences; nothing to check")
    return WriteUp(tuple(sorted(claims, key=lambda claim: claim.line)), tuple(tables))


def _without_code(lines: Sequence[str]) -> list[str]:
    """Return the lines with those of fenced code blocks empty, so that numbering stays."""
    kept, fence = [], ""
    for line in lines:
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
            kept.append("")
        else:
            kept.append("" if fence else line)
    return kept


def _cells(line: str) -> tuple[str, ...]:
    inner = re.sub(r"^\s*\||\|\s*$", "", line)
    return tuple(cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner))


def _tables(lines: Sequence[str]) -> Iterator[Table]:
    for place in range(1, len(lines)):
        if not (_RULE.match(lines[place]) and "|" in lines[place] and "|" in lines[place - 1]):
            continue
        end = place + 1
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = tuple(_cells(line) for line in lines[place + 1 : end])
        yield Table(place, _cells(lines[place - 1]), rows)


def _table_claims(table: Table) -> Iterator[Claim]:
    for row_place, row in enumerate(table.rows):
        percent = any(piece.number.percent for cell in row[1:] for piece in pieces_of(cell))
        for place, cell in enumerate(row[1:], start=1):
            heading = table.header[place] if place < len(table.header) else ""
            end = 0
            for piece in pieces_of(cell, heading=heading):
                # a cell may name each of its numbers: "shuffled 5.4 %, nearest report 15.1 %"
                own, end = cell[end : piece.number.start], piece.number.end
                label = " ".join([row[0], heading, *re.findall(r"[A-Za-z][\w@-]*", own)])
                number = piece.number
                if piece.role != "value" and INTERVAL.search(heading):
                    # a column of intervals has the unit of the column of values
                    number = replace(number, percent=number.percent or percent)
                line = table.line + 2 + row_place
                yield Claim(line, named_by(label, piece).strip(), number, piece.role)


def _sentence_claims(place: int, line: str) -> Iterator[Claim]:
    line, start = _INLINE_CODE.sub("", line), 0
    for end in [*(match.end() for match in _CLAUSE.finditer(line)), len(line)]:
        clause = line[start:end]
        for piece in pieces_of(clause):
            yield Claim(place, named_by(clause, piece).strip(), piece.number, piece.role)
        start = end
