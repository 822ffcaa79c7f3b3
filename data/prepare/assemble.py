"""Stages 2 and 6 to 8: what the journals hold, made into the files of the data set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cinelex.core.console import say
from cinelex.core.files import write_whole
from cinelex.data.dicom.pseudonyms import Pseudonyms
from cinelex.data.prepare.card import Contents, card
from cinelex.data.prepare.child import keyed
from cinelex.data.prepare.decide import DROPPED, KEPT, PENDING, decide
from cinelex.data.prepare.headers import PRIVATE, read_headers
from cinelex.data.prepare.inventory import FAILURES
from cinelex.data.prepare.known_files import Sources, known_files
from cinelex.data.prepare.leakage import across_splits
from cinelex.data.prepare.ledger import write_ledger, write_manifest, write_table
from cinelex.data.prepare.places import Places
from cinelex.data.prepare.reports import ReadFacts, no_reports, read_reports
from cinelex.data.prepare.review import write_review
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.prepare.split_balance import SPLITS
from cinelex.data.prepare.splits import assign_splits

ORIGINALS = ("file", "root", "path", "size", "kind", "decision", "why", *PRIVATE)
"""Columns of ``private/originals.parquet``: what leads from a key back to a file."""
OF_A_STUDY = (
    "patient_id", "date", "year", "age", "sex", "site", "manufacturer", "model", "modality",
)  # fmt: skip

NOT_READ = {
    ("unreadable", "not_decoded"): (
        "that their disk or network refuses (or whose permissions do); the same command reads them "
        "when it can"
    ),
    (*FAILURES, "memory"): (
        "that were late or ended their reader (why in ledger.parquet); retry=true tries them again"
    ),
}
"""What is said of files, by why they were dropped: they may be cines."""


@dataclass(frozen=True)
class Further:
    """What the assembly needs besides the journals."""

    reports: Path | None
    read_facts: ReadFacts | None
    decisions: Mapping[str, str]
    """By the key of a cine."""
    by_content: Mapping[str, str]
    """The same, by content."""
    options: Mapping[str, Any]
    stays: bool = True
    """Whether the data set is kept, so that a person can do something about it."""


def assemble(
    places: Places, sources: Sources, keys: Pseudonyms, settings: PrepareSettings, further: Further
) -> Contents:
    """Write ledger, manifest, review page, card, and what only the hospital may have.

    Returns:
        What the card tells of.
    """
    decided = _decided(places, sources, keys, settings, further.by_content)
    studies = _studies(decided)
    reports = no_reports()
    if further.reports is not None:
        reports = read_reports(further.reports, studies, settings.reports, further.read_facts)
    split = assign_splits(
        studies, settings.splits, salt=sources.salt, memory=places.private / "splits.json"
    )
    decided["split"] = decided["patient_id"].map(split).where(decided["decision"] == KEPT)
    for name in ("report", "facts"):
        for rows in (decided, studies):
            rows[name] = rows["study_id"].map(reports.joined[name]).astype(object)
    kept = decided[decided["decision"] == KEPT]
    near = across_splits(kept)
    whole = studies[studies["study_id"].isin(kept["study_id"])]
    whole = whole.assign(split=whole["patient_id"].map(split))
    contents = Contents(decided, kept, whole, reports, near, further.options, settings.splits.by)
    write_manifest(places.out / "manifest.parquet", kept)
    waiting = write_review(
        places.out / "review.html", decided, further.decisions, max_items=settings.max_review
    )
    write_whole(places.out / "card.md", card(contents))
    _write_private(places, decided, contents)
    write_ledger(places.out / "ledger.parquet", decided, _summary(contents))
    _say_outcome(contents, waiting, places.out, stays=further.stays)
    return contents


def _say_outcome(contents: Contents, waiting: int, out: Path, *, stays: bool) -> None:
    files, kept, studies = contents.files, contents.kept, contents.studies
    say(
        f"{len(files)} files: {len(kept)} cines of {len(studies)} studies kept, "
        f"{contents.with_report} of these studies with a report; "
        f"{(files['decision'] == DROPPED).sum()} files dropped, {waiting} masks wait for a person"
    )
    if stays:
        sizes = (f"{split} {(studies['split'] == split).sum()}" for split in SPLITS)
        say(f"studies of each split: {', '.join(sizes)}")
    for whys, what in NOT_READ.items():
        count = files["why"].isin(whys).sum()
        if count:
            say(f"not read: {count} files {what}")
    burned_in = int(kept["burned_in"].sum())
    if burned_in:
        say(
            f"burned-in text: the headers of {burned_in} cines that are kept say that names stand "
            "in their pixels; what lies outside their masks is cut off, but look at some of them "
            "(burned_in in ledger.parquet) before the set goes anywhere"
        )
    if waiting and stays:
        say(
            f"masks: open {out / 'review.html'}, approve or reject each, put the decisions.csv "
            f"that it gives into {out}, and run the same command again"
        )


def _decided(
    places: Places,
    sources: Sources,
    keys: Pseudonyms,
    settings: PrepareSettings,
    by_content: Mapping[str, str],
) -> pd.DataFrame:
    """Return a row a file with its decision, and what header and decoder say of it."""
    files = known_files(places, settings)
    named = files[(files["instance"] != "") | files["cine"]]
    headers = read_headers(named, keys).drop(columns="modality")
    files = files.join(headers)
    owner = files[files["cine"]].groupby("study_id")["patient_id"].first()
    stray = files["cine"] & (files["patient_id"] != files["study_id"].map(owner))
    files.loc[stray, "reason"] = "other_patient"
    files["cine"] &= ~stray
    decided = decide(files, places.cines.read(), by_content, settings)
    decided["modality"] = decided["modality"].str.removesuffix("_ENHANCED")
    decided["file"] = [
        keyed(sources.salt, f"file {root} ".encode() + path)
        for root, path in zip(decided["root"], decided["path"], strict=True)
    ]
    return decided


def _studies(decided: pd.DataFrame) -> pd.DataFrame:
    """Return a row a study of which a cine is kept or waits, with all names of all its files."""
    taken = decided[decided["decision"].isin([KEPT, PENDING])]
    first = taken.groupby("study_id")[
        [*OF_A_STUDY, "study_uid", "patient", "study_date", "institution"]
    ].first()
    own = decided[decided["study_id"].isin(first.index)]
    accession = own.groupby("study_id")["accession"].max()
    together = {
        name: own.groupby("study_id")[name].agg(lambda cells: sorted(set().union(*cells)))
        for name in ("names", "ids")
    }
    return first.assign(accession=accession, **together).reset_index()


def _write_private(places: Places, decided: pd.DataFrame, contents: Contents) -> None:
    originals = decided[list(ORIGINALS)].sort_values("file")
    originals.to_parquet(places.private / "originals.parquet", index=False)
    write_table(places.private / "reports_without_study.csv", contents.reports.left)
    silent = contents.studies[contents.studies["report"].isna()]
    columns = ["study_id", "study_uid", "accession", "patient", "study_date"]
    write_table(places.private / "studies_without_report.csv", silent[columns])
    write_table(places.private / "near_equal.csv", contents.near)


def _summary(contents: Contents) -> dict[str, Any]:
    """Return what each stage came to."""
    decided, kept = contents.files, contents.kept
    return {
        "inventory": decided["kind"].value_counts().to_dict(),
        "decisions": decided["decision"].value_counts().to_dict(),
        "why": decided["why"].replace("", None).value_counts().to_dict(),
        "time": kept["time_source"].value_counts().to_dict(),
        "masks": kept["source"].value_counts().to_dict(),
        "views": kept["view"].value_counts().to_dict(),
        "reports": {**contents.reports.counts, "removed": dict(contents.reports.removed)},
        "splits": contents.studies["split"].value_counts().to_dict(),
    }
