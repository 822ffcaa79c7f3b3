"""The road from DICOM against a made-up hospital, whose truth is known.

    python -m cinelex.scripts.make_hospital --output HOSPITALS
    bash scripts/prepare.sh --dicom HOSPITAL/export --reports HOSPITAL/reports.csv --out DATASET
    python -m benchmarks.road --hospital HOSPITAL --dataset DATASET [--also FOLDER …]

Prints a table: every file accounted for, the manifest against the truth, frame times, masks, text
that was burned in, and names, ids, dates and phrases in every byte outside the private folder (and
in the folders after --also, such as that of a run). With --approve it writes a decisions.csv that
approves all masks that wait, as a person may who finds them right; prepare goes on from there. The
exit code is 1 where anything differs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.road_canaries import Canaries, plain, search
from benchmarks.road_checks import Checks
from benchmarks.road_manifest import check_manifest, kept_files
from benchmarks.road_masks import check_masks, check_previews
from cinelex.core.files import write_whole
from cinelex.data.prepare.decide import KEPT, PENDING


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where a line of it fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.road", description=__doc__)
    parser.add_argument("--hospital", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="searched for names too")
    parser.add_argument("--approve", action="store_true", help="write decisions.csv, and no table")
    parser.add_argument("--every", type=int, default=1, help="look at every n-th mask")
    chosen = parser.parse_args(arguments)
    if chosen.approve:
        sys.stdout.write(f"{approve(chosen.dataset)} masks approved\n")
        return 0
    files = join(chosen.hospital, chosen.dataset)
    checks = Checks()
    check_files(checks, files, chosen.hospital)
    studies = pd.read_parquet(chosen.hospital / "truth" / "studies.parquet")
    check_manifest(checks, files, studies, chosen.dataset)
    check_masks(checks, kept_files(files), chosen.hospital, chosen.dataset, every=chosen.every)
    waiting = files[files["ledger_decision"] == PENDING]
    check_previews(checks, waiting, chosen.hospital, chosen.dataset)
    known = json.loads((chosen.hospital / "truth" / "canaries.json").read_text())
    check_canaries(checks, known, [chosen.dataset, *chosen.also])
    check_days(checks, known, kept_files(files), chosen.dataset)
    sys.stdout.write(checks.table())
    return int(checks.failed)


def join(hospital: Path, dataset: Path) -> pd.DataFrame:
    """Return the truth about every file beside what the ledger says of it."""
    truth = pq.read_table(hospital / "truth" / "files.parquet").to_pandas()
    originals = pd.read_parquet(dataset / "private" / "originals.parquet")
    originals["path"] = [path.decode() for path in originals["path"]]
    ledger = pd.read_parquet(dataset / "ledger.parquet").add_prefix("ledger_")
    told = originals[["file", "path"]].merge(ledger, left_on="file", right_on="ledger_file")
    joined: pd.DataFrame = truth.merge(told, on="path", how="outer", indicator=True)
    return joined


def check_files(checks: Checks, files: pd.DataFrame, hospital: Path) -> None:
    """Check that every file has one row of the ledger, of the right kind."""
    on_disk = sum(path.is_file() for path in (hospital / "export").rglob("*"))
    both = files["_merge"] == "both"
    checks.add("files of the export in the ledger", int(both.sum()), on_disk)
    checks.add("files on one side alone", int((~both).sum()), 0)
    told = zip(files["ledger_kind"], files["kind"], files["also_ok"], both, strict=True)
    wrong = [found for found, kind, also, known in told if known and not _fits(found, kind, also)]
    checks.add("files of another kind than in truth", len(wrong), 0)
    decisions = files["ledger_decision"].value_counts()
    checks.add("decisions add up", int(decisions.sum()), on_disk)
    checks.say("decisions", ", ".join(f"{count} {name}" for name, count in decisions.items()))
    no_cines = files[both & (files["kind"] != "cine")]
    kept = no_cines["ledger_decision"].isin([KEPT, PENDING])
    checks.add("kept that are no cines", int(kept.sum()), 0)


def _fits(found: str, kind: str, also: str) -> bool:
    """Return whether a kind is the true one, or another one that is right as well."""
    return found == kind or found in also.split(";")


def check_canaries(checks: Checks, known: list[dict[str, Any]], folders: Sequence[Path]) -> None:
    """Check that nothing that the hospital invented stands in any byte that left it."""
    canaries = Canaries.of(known)
    found = search(canaries, folders)
    checks.say("bytes searched for names", f"{found.searched_bytes:,} in {found.files} files")
    checks.add(f"of {len(known)} names, ids, dates, phrases found", len(found.hits), 0)
    for where, kind, count in found.summary():
        checks.say("found", f"{count} × {kind} in {where}")


def check_days(
    checks: Checks, known: list[dict[str, Any]], kept: pd.DataFrame, dataset: Path
) -> None:
    """Check that no row of the manifest holds the true day of its own study, in any writing."""
    days = Canaries.of(known).of_study
    manifest = pd.read_parquet(dataset / "manifest.parquet").set_index("video_path")
    told = 0
    for study, cine in zip(kept["study"], kept["ledger_cine"], strict=True):
        cells = plain(" ".join(map(str, manifest.loc[f"store:{cine}"])))
        told += any(day in cells for day in days[study])
    checks.add("rows that tell the day of their study", told, 0)


def approve(dataset: Path) -> int:
    """Write decisions.csv so that all masks that wait are approved; return how many wait."""
    ledger = pd.read_parquet(dataset / "ledger.parquet")
    waiting = ledger.loc[ledger["decision"] == PENDING, "cine"].unique()
    lines = ["cine,decision", *(f"{cine},approve" for cine in waiting)]
    write_whole(dataset / "decisions.csv", "\n".join(lines) + "\n")
    return len(waiting)


if __name__ == "__main__":
    sys.exit(main())
