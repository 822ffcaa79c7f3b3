"""Stage 7: the report of each study, without names, and what it states."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.progress import progress
from cinelex.data.prepare.joining import Joined, Line, join, lines_of
from cinelex.data.prepare.report_columns import find_columns
from cinelex.data.prepare.settings import ReportSettings
from cinelex.data.studies.manifest import LONGEST_REPORT
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import Table
from cinelex.data.text.deidentify import deidentify
from cinelex.data.text.plain import plain_text
from cinelex.data.text.sections import SHIPPED, Headings


@runtime_checkable
class Reading(Protocol):
    """What was understood of a report."""

    @property
    def facts(self) -> Sequence[Any]:
        """Dataclasses of plain values."""

    @property
    def sentences(self) -> int:
        """Sentences of the report."""

    @property
    def understood(self) -> int:
        """Sentences that gave a fact."""


ReadFacts = Callable[[str], Reading]


@dataclass(frozen=True)
class Reports:
    """The reports of a data set."""

    joined: pd.DataFrame
    """One row per study with a report: "report" and "facts" (JSON), by the study's key."""
    counts: Mapping[str, int]
    """What there was, was joined, and was not; keys as card.md has them."""
    removed: Mapping[str, int]
    """What de-identification took out, by kind."""
    left: pd.DataFrame
    """Lines without a study, for ``private/``."""


def read_reports(
    path: Path, studies: pd.DataFrame, settings: ReportSettings, read_facts: ReadFacts | None
) -> Reports:
    """Join a table of reports with studies.

    Of a study with several reports that differ, all are kept, in the order of the table. What is
    longer than a manifest's reports may be is cut there, and counted.

    Args:
        path: CSV, Excel, Parquet or JSON lines.
        studies: A row a study, with the private columns of its headers.
        settings: Columns, sections, headings.
        read_facts: Parses a report; None leaves its facts out.

    Raises:
        UserError: The file or its columns are wrong; no cell is quoted.
    """
    table, columns = open_reports(path, settings)
    cells = {field: table.column(name).to_pylist() for field, name in columns.items()}
    lines = lines_of(table.whereabouts(), cells)
    joined = join(lines, studies, window_days=settings.window_days)
    if len(studies) and not joined.lines:
        say(
            f"reports: none of the {len(lines)} names a study; compare the ids in {path} with "
            "those in private/studies_without_report.csv"
        )
    return _told(joined, len(lines), studies, settings, read_facts)


def check_reports(path: Path, settings: ReportSettings) -> None:
    """Say how a table of reports is read, before days are spent on cines.

    Raises:
        UserError: It is missing or wrong, or the headings are.
    """
    if not path.is_file():
        raise UserError("--reports: no such file; give a CSV, Excel, Parquet or JSON-lines file")
    table, columns = open_reports(path, settings)
    Headings.read(settings.headings or SHIPPED)
    say(f"reports: {table.how}; " + ", ".join(f"{f} in {n!r}" for f, n in columns.items()))


def open_reports(path: Path, settings: ReportSettings) -> tuple[Table, dict[str, str]]:
    """Return a table of reports, and the name of the column of each field.

    Raises:
        UserError: The file or its columns are wrong, it holds no report, or a control character.
    """
    table = read_table(
        path, separator=settings.separator, encoding=settings.encoding, section="reports"
    )
    columns = find_columns(table.names, settings.columns)
    for name in columns.values():
        table.refuse_control_characters(name)
    text = table.column(columns["text"]).cast(pa.large_string())
    if not pc.any(pc.not_equal(pc.utf8_trim_whitespace(text), "")).as_py():
        raise UserError(f"{path}: has a header and no report; export the reports again")
    return table, columns


def no_reports() -> Reports:
    """Return what there is where nobody gave reports."""
    joined = pd.DataFrame({"report": [], "facts": []}, dtype=str)
    return Reports(joined, {}, {}, pd.DataFrame())


def _told(
    joined: Joined,
    lines: int,
    studies: pd.DataFrame,
    settings: ReportSettings,
    read_facts: ReadFacts | None,
) -> Reports:
    headings = Headings.read(settings.headings or SHIPPED)
    columns = (studies[name] for name in ("study_id", "names", "ids"))
    headers = {study: (names, ids) for study, names, ids in zip(*columns, strict=True)}
    counts: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    rows = {}
    for study, own in progress(joined.lines.items(), total=len(joined.lines), what="reports"):
        texts = _texts(own, headings, settings, counts)
        names, ids = headers[study]
        text, taken = deidentify(" ".join(texts), names=names, ids=ids)
        removed += taken
        if not text:
            counts["empty"] += 1
            continue
        counts[f"cut to {LONGEST_REPORT:,} characters"] += len(text) > LONGEST_REPORT
        text = text[:LONGEST_REPORT]
        rows[study] = {"report": text, "facts": _facts(text, read_facts, counts)}
    ways = {f"joined by {way}": number for way, number in joined.ways.items()}
    reasons = Counter(reason for _, reason in joined.left)
    return Reports(
        pd.DataFrame.from_dict(rows, orient="index", columns=["report", "facts"]),
        {"lines": lines, **ways, **reasons, **counts},
        removed,
        pd.DataFrame(
            [{"where": line.place, "why": why, **asdict(line)} for line, why in joined.left]
        ).drop(columns=["place", "text"], errors="ignore"),
    )


def _texts(
    lines: Sequence[Line], headings: Headings, settings: ReportSettings, counts: Counter[str]
) -> list[str]:
    """Return the different texts of a study's lines."""
    plain = [plain_text(line.text) for line in lines]
    texts = list(dict.fromkeys(headings.kept(text, settings.sections) for text in plain))
    counts["repeated"] += len(lines) - len(texts)
    counts["studies with several"] += len(texts) > 1
    return texts


def _facts(text: str, read_facts: ReadFacts | None, counts: Counter[str]) -> str:
    if read_facts is None:
        return ""
    reading = read_facts(text)
    counts["sentences"] += reading.sentences
    counts["sentences understood"] += reading.understood
    counts["reports with a fact"] += bool(reading.facts)
    return json.dumps([asdict(fact) for fact in reading.facts])
