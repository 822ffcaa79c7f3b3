"""The manifest that the road writes against the truth of a made-up hospital."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.road_checks import Checks
from cinelex.data.dicom.pseudonyms import open_pseudonyms
from cinelex.data.prepare.decide import KEPT

MOST_TIME_OFF_MS = 1e-3


def kept_files(files: pd.DataFrame) -> pd.DataFrame:
    """Return the files whose cine stands in the manifest."""
    return files[(files["ledger_decision"] == KEPT) & (files["kind"] == "cine")]


def check_manifest(
    checks: Checks, files: pd.DataFrame, studies: pd.DataFrame, dataset: Path
) -> None:
    """Check that the manifest has every cine once, each with what is true of it."""
    manifest = pd.read_parquet(dataset / "manifest.parquet")
    kept = kept_files(files)
    cines = files[files["kind"] == "cine"]
    groups = cines["duplicate_of"].fillna(cines["path"])
    taken = kept["duplicate_of"].fillna(kept["path"])
    missing = cines[~groups.isin(taken) & (cines["also_ok"] == "")]
    checks.add("cines that the manifest lacks", groups[missing.index].nunique(), 0)
    checks.add("cines that are there twice", int(taken.duplicated().sum()), 0)
    left_out = cines[~groups.isin(taken)]
    for why, count in left_out["ledger_why"].value_counts().items():
        checks.say("left out", f"{count} × {why}")
    keys = "store:" + kept["ledger_cine"].astype(str)
    joined = manifest.merge(kept.assign(video_path=keys), on="video_path", suffixes=("", "_true"))
    checks.add("rows of the manifest that lead back to a file", len(joined), len(manifest))
    joined = joined.merge(
        studies.add_suffix("_of_study"), left_on="study", right_on="study_of_study"
    )
    _check_cines(checks, joined)
    _check_studies(checks, joined, dataset)
    _check_reports(checks, joined, studies)


def _check_cines(checks: Checks, joined: pd.DataFrame) -> None:
    """Check what a row says of its own cine."""
    off, unknown = _times_off(joined)
    checks.add("largest error of a frame time, ms", off, MOST_TIME_OFF_MS, rule="≤")
    checks.add("times known that are not, or unknown that are", unknown, 0)
    for name in ("view", "time_source"):
        joined[name] = joined[name].where(joined[name] != "unknown")
    for name in ("view", "time_source", "frames", "primary_angle", "secondary_angle", "doppler"):
        checks.add(f"rows with another {name}", _differing(joined[name], joined[f"{name}_true"]), 0)


def _times_off(joined: pd.DataFrame) -> tuple[float, int]:
    """Return the largest error in ms, and how many rows know what the header does not, or not."""
    worst, unequal = 0.0, 0
    for found, true in zip(joined["frame_times_ms"], joined["frame_times_ms_true"], strict=True):
        if found is None or true is None or len(found) != len(true):
            unequal += int(found is not None or true is not None)
        else:
            worst = max(worst, float(np.abs(np.asarray(found) - np.asarray(true)).max()))
    return worst, unequal


def _differing(found: "pd.Series[Any]", true: "pd.Series[Any]") -> int:
    """Return how many cells differ; two that are missing are equal."""
    alike = (found == true) | (found.isna() & true.isna())
    return int((~alike).sum())


def _check_studies(checks: Checks, joined: pd.DataFrame, dataset: Path) -> None:
    """Check what a row says of its study, its patient and its place."""
    keys = open_pseudonyms(dataset)
    wanted = {
        "study_id": joined["study_uid"].map(keys.study),
        "patient_id": joined["patient_id_of_study"].map(keys.patient),
    }
    for name in ("age", "sex", "manufacturer", "model", "modality"):
        wanted[name] = joined[f"{name}_of_study"]
    for name, true in wanted.items():
        checks.add(f"rows with another {name}", _differing(joined[name], true), 0)
    mixed = _unequal(joined["site"], joined["site_of_study"])
    mixed += _unequal(joined["site_of_study"], joined["site"])
    checks.add("sites that are mixed up", mixed, 0)
    days = pd.to_datetime(joined["date"]) - pd.to_datetime(joined["date_of_study"])
    checks.add("patients whose days do not move together", _unequal(days, joined["patient"]), 0)
    splits = joined.groupby("patient")["split"].nunique()
    checks.add("patients in two splits", int((splits > 1).sum()), 0)
    differing = _differing(joined["split"], joined["split_of_study"])
    checks.say("rows with another split than by time", str(differing))


def _unequal(values: "pd.Series[Any]", groups: "pd.Series[Any]") -> int:
    """Return how many groups hold more than one value."""
    return int((values.groupby(groups).nunique() > 1).sum())


def _check_reports(checks: Checks, joined: pd.DataFrame, studies: pd.DataFrame) -> None:
    """Check that every study has its own report, as it must come out, and no other."""
    told = joined.drop_duplicates("study")
    found = told["report"].fillna("")
    true = told["report_of_study"].fillna("")
    named = told["named_of_study"].to_numpy(dtype=bool)
    pairs = list(zip(found, true, named, strict=True))
    wrong = sum(not _report_right(*pair) for pair in pairs)
    checks.add("studies with another report", wrong, 0)
    checks.add("studies with a report", int((found != "").sum()), int((true != "").sum()))
    absent = int((~studies["study"].isin(told["study"])).sum())
    checks.say("studies without a row", str(absent))


def _report_right(found: str, true: str, named: bool) -> bool:
    """Return whether a report is the one; a sentence with names may follow, without them."""
    found, true = " ".join(found.split()), " ".join(true.split())
    return found.startswith(true) if named and true else found == true
