"""Tables and sentences of a Markdown file, each number with the words that say what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from cinelex.core.errors import UserError
from cinelex.doctor.claims.numbers import Number
from cinelex.doctor.claims.pieces import INTERVAL, Role, named_by, pieces_of

_CLAUSE = re.compile(r"[.;](?=\s|$)|,\s(?![^\[(]*[\])])")
"""Where a clause ends; a comma in brackets ends none."""


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
    """Each with as many cells as the header."""


@dataclass(frozen=True)
class WriteUp:
    """What a Markdown file claims."""

    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]


def read_write_up(path: Path) -> WriteUp:
    """Return the claims of a Markdown file; code and headings make none.

    Raises:
        UserError: The file is missing, not UTF-8, or holds no number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as problem:
        raise UserError(f"{path}: not UTF-8 at byte {problem.start}") from None
    parser = MarkdownIt("commonmark").enable("table")
    blocks = list(SyntaxTreeNode(parser.parse(text)).walk())
    tables = tuple(_table(block) for block in blocks if block.type == "table")
    claims = [claim for table in tables for claim in _table_claims(table)]
    for block in blocks:
        if block.type == "paragraph":
            claims += _sentence_claims(_line(block), _text(block, code=False))
    if not claims:
        raise UserError(f"{path}: no number in its tables or sentences; nothing to check")
    return WriteUp(tuple(sorted(claims, key=lambda claim: claim.line)), tables)


def _line(block: SyntaxTreeNode) -> int:
    assert block.map is not None
    return block.map[0] + 1


def _text(block: SyntaxTreeNode, *, code: bool = True) -> str:
    """Return what a reader sees of a block, line by line; code in it is left out if so asked."""
    breaks, shown = ("softbreak", "hardbreak"), ("text", "code_inline") if code else ("text",)
    return "".join(
        "\n" if node.type in breaks else node.content if node.type in shown else ""
        for node in block.walk()
    )


def _table(block: SyntaxTreeNode) -> Table:
    header, *rows = [
        tuple(_text(cell).strip() for cell in row.children)
        for part in block.children
        for row in part.children
    ]
    return Table(_line(block), header, tuple(rows))


def _table_claims(table: Table) -> Iterator[Claim]:
    for line, row in enumerate(table.rows, start=table.line + 2):
        percent = any(piece.number.percent for cell in row[1:] for piece in pieces_of(cell))
        for heading, cell in zip(table.header[1:], row[1:], strict=True):
            end = 0
            for piece in pieces_of(cell, heading=heading):
                # a cell may name each of its numbers: "shuffled 5.4 %, nearest report 15.1 %"
                own, end = cell[end : piece.number.start], piece.number.end
                label = " ".join([row[0], heading, *re.findall(r"[A-Za-z][\w@-]*", own)])
                number = piece.number
                if piece.role != "value" and INTERVAL.search(heading):
                    # a column of intervals has the unit of the column of values
                    number = replace(number, percent=number.percent or percent)
                yield Claim(line, named_by(label, piece).strip(), number, piece.role)


def _sentence_claims(line: int, text: str) -> Iterator[Claim]:
    start = 0
    for end in [*(match.end() for match in _CLAUSE.finditer(text)), len(text)]:
        clause = text[start:end]
        words = " ".join(clause.split())
        for piece in pieces_of(clause):
            above = text.count("\n", 0, start + piece.number.start)
            yield Claim(line + above, named_by(words, piece), piece.number, piece.role)
        start = end
