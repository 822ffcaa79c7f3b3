"""``card.md``: what a data set holds, what was dropped and why, and what its splits are worth."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cinelex.data.dicom.errors import REASONS as FILE_REASONS
from cinelex.data.prepare.decide import DROPPED, REASONS
from cinelex.data.prepare.leakage import dates_across_splits, reports_across_splits
from cinelex.data.prepare.reports import Reports
from cinelex.data.prepare.split_balance import SPLITS, likeness_of_splits

MAX_VALUES = 12
BURNED_IN = "cines whose header says that names are burned into the pixels"


@dataclass(frozen=True)
class Contents:
    """All that the card tells of."""

    files: pd.DataFrame
    """One row per file, with its decision."""
    kept: pd.DataFrame
    """One row per cine."""
    studies: pd.DataFrame
    """One row per study that is kept, with "split" and "report"."""
    reports: Reports
    near: pd.DataFrame
    """Near-equal cines in different splits."""
    options: Mapping[str, Any]
    by: str
    """What patients were shared out by."""

    @property
    def with_report(self) -> int:
        """How many of the studies have a report."""
        return int(self.studies["report"].notna().sum())


def card(contents: Contents) -> str:
    """Return the card as Markdown."""
    parts = [
        "# What this data set holds\n",
        _overview(contents),
        "## Files\n",
        _files(contents.files),
        "## Time and masks\n",
        _time_and_masks(contents),
        "## Reports\n",
        _reports(contents.reports, contents.studies),
        "## Splits\n",
        _splits(contents),
        "## Subgroups\n",
        _subgroups(contents.studies),
        "## Options\n",
        _table(
            ("option", "value"), ((key, f"`{value}`") for key, value in contents.options.items())
        ),
    ]
    return "\n".join(parts)


def _overview(contents: Contents) -> str:
    kept, studies = contents.kept, contents.studies
    known = contents.files["study_id"].nunique()
    return _table(
        ("", "count"),
        [
            ("files found", len(contents.files)),
            ("cines kept", len(kept)),
            ("studies", len(studies)),
            ("studies of which no cine is kept", known - len(studies)),
            ("patients", studies["patient_id"].nunique()),
            ("studies with a report", contents.with_report),
            ("frames", int(kept["frames"].sum())),
        ],
    )


def _files(files: pd.DataFrame) -> str:
    rows = [
        (decision, kind, why, REASONS.get(why) or FILE_REASONS.get(why, ""), count)
        for (decision, kind, why), count in _counted(files, ["decision", "kind", "why"])
    ]
    return _table(
        ("decision", "kind", "why", "which means", "files"),
        [*rows, ("", "", "", "all files", len(files))],
    )


def _time_and_masks(contents: Contents) -> str:
    cines = contents.files[contents.files["decision"] != DROPPED]
    rows: list[tuple[str, int]] = [
        (f"frame times from {name}", count) for (name,), count in _counted(cines, ["time_source"])
    ]
    rows.append(("frame times that another element contradicts", int(cines["time_conflict"].sum())))
    rows += [
        (f"masks {source}, {decision}", count)
        for (source, decision), count in _counted(cines, ["source", "decision"])
    ]
    rows.append((BURNED_IN, int(cines["burned_in"].eq(True).sum())))
    rows.append(("cines with colour Doppler", int(cines["doppler"].eq(True).sum())))
    return _table(("", "cines"), rows)


def _counted(rows: pd.DataFrame, names: list[str]) -> list[tuple[tuple[str, ...], int]]:
    """Return how many rows have each combination of values, the most frequent first."""
    cells = zip(*(rows[name].tolist() for name in names), strict=True)
    return sorted(Counter(cells).items(), key=lambda item: (-item[1], item[0]))


def _reports(reports: Reports, studies: pd.DataFrame) -> str:
    if not reports.counts:
        return "No reports were given.\n"
    sentences = reports.counts.get("sentences", 0)
    rows: list[tuple[str, Any]] = list(reports.counts.items())
    if sentences:
        share = reports.counts.get("sentences understood", 0) / sentences
        rows.append(("parse coverage: share of sentences that gave a fact", f"{share:.1%}"))
    if len(studies):
        share = studies["report"].notna().mean()
        rows.append(("share of the studies kept that have a report", f"{share:.1%}"))
    rows += [(f"removed: {kind}", count) for kind, count in sorted(reports.removed.items())]
    return _table(("", "count"), rows)


def _splits(contents: Contents) -> str:
    studies, kept = contents.studies, contents.kept
    rows = []
    for split in SPLITS:
        own = studies[studies["split"] == split]
        texts = own["report"].fillna("")
        unique = texts[texts != ""].nunique()
        most = texts[texts != ""].value_counts().max() if unique else 0
        cines = int((kept["split"] == split).sum())
        chance = [f"{min(1.0, k / unique):.2%}" if unique else "–" for k in (1, 5)]
        patients = own["patient_id"].nunique()
        rows.append((split, patients, len(own), cines, unique, *chance, int(most)))
    heads = (
        "split", "patients", "studies", "cines", "different reports", "R@1 of chance",
        "R@5 of chance", "studies with the commonest report",
    )  # fmt: skip
    near = contents.near
    of_patients = studies.groupby("patient_id")["split"].nunique()
    leaks = [
        ("patients in two splits", int((of_patients > 1).sum())),
        ("equal cines across splits", int(near["equal"].sum())),
        ("near-equal cines across splits", int((~near["equal"]).sum())),
        ("equal reports across splits", reports_across_splits(studies)),
    ]
    if contents.by == "time":
        overlap = dates_across_splits(studies)
        leaks.append(("studies to train on that are as late as held-out ones", overlap))
    return (
        f"Shared out by {contents.by}; a patient is in one split.\n\n"
        + _one_patient(studies)
        + _table(heads, rows)
        + "\n"
        + _table(("across splits", "count"), leaks)
    )


def _one_patient(studies: pd.DataFrame) -> str:
    if len(studies) < 2 or studies["patient_id"].nunique() > 1:
        return ""
    return (
        f"**All {len(studies):,} studies carry the same PatientID: they are one patient, all in "
        "one split, and no split of them is honest. If the export was made anonymous with one id "
        "for all, ask for one with an id a patient.**\n\n"
    )


def _subgroups(studies: pd.DataFrame) -> str:
    """Return how alike the splits are, beside how alike random ones would be."""
    heads = ("column", "values", "largest difference from train", "in 95 % of random splits below")
    counts = {
        name: studies[name].fillna("").value_counts().head(MAX_VALUES)
        for name in ("modality", "site", "manufacturer", "sex")
    }
    return (
        "A difference is half the sum of the absolute differences of the shares of all values.\n\n"
        + _table(heads, likeness_of_splits(studies))
        + "\n"
        + "\n".join(_table((name, "studies"), own.items()) for name, own in counts.items())
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    lines = [tuple(heads)]
    lines.append(("---",) * len(lines[0]))
    lines += [tuple(_cell(cell) for cell in row) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")
