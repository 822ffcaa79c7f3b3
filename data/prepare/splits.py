"""Stage 8: which patients are trained on, and which are held out."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json
from cinelex.data.prepare.settings import SplitSettings

TRAIN, VAL, TEST = "train", "val", "test"
MAX_NAMED = 12


@dataclass(frozen=True)
class Cuts:
    """First day of the validation and of the test studies."""

    val: str
    test: str


def assign_splits(
    studies: pd.DataFrame, settings: SplitSettings, *, salt: str, memory: Path
) -> "pd.Series[str]":
    """Return the split of each patient, by the patient's key.

    Random splits follow from the patient's key alone, and those of a split by time from the
    patient's first study and days that are chosen once, so that new studies move nobody; only an
    older study that comes later can.

    Args:
        studies: A row a study: "patient_id", "study_date", "site", "institution", "manufacturer".
        settings: How.
        salt: The secret that random splits follow from.
        memory: File of the days of a split by time.

    Raises:
        UserError: A site or manufacturer is not there, or a day is none.
    """
    if settings.by == "random":
        patients = pd.Index(studies["patient_id"].unique())
        return pd.Series([_drawn(patient, settings, salt) for patient in patients], index=patients)
    if settings.by == "time":
        return _by_time(studies, settings, memory)
    return _by_group(studies, settings)


def _drawn(patient: str, settings: SplitSettings, salt: str) -> str:
    digest = hmac.new(bytes.fromhex(salt), f"split {patient}".encode(), hashlib.sha256).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    if draw < settings.test:
        return TEST
    return VAL if draw < settings.test + settings.val else TRAIN


def _by_time(studies: pd.DataFrame, settings: SplitSettings, memory: Path) -> "pd.Series[str]":
    first = studies.groupby("patient_id")["study_date"].min()
    cuts = _cuts(first.dropna(), settings, memory)
    splits = pd.Series(TRAIN, index=first.index)
    splits[first >= cuts.val] = VAL
    splits[first >= cuts.test] = TEST
    return splits


def _cuts(first: "pd.Series[Any]", settings: SplitSettings, memory: Path) -> Cuts:
    """Return the days of a split by time: those given, those of an earlier run, or by shares."""
    if settings.val_from and settings.test_from:
        if settings.val_from > settings.test_from:
            raise UserError("splits.val_from must not be after splits.test_from")
        return Cuts(settings.val_from, settings.test_from)
    if memory.exists():
        return Cuts(**read_json(memory))
    days = sorted(first)
    if not days:
        raise UserError("splits.by=time: no study has a date; set splits.by=random")
    places = [1 - settings.test - settings.val, 1 - settings.test]
    val, test = (days[min(len(days) - 1, round(share * len(days)))] for share in places)
    write_json(memory, {"val": val, "test": test})
    return Cuts(val, test)


def _by_group(studies: pd.DataFrame, settings: SplitSettings) -> "pd.Series[str]":
    """Return the splits by site or manufacturer; a patient of any test group is a test patient."""
    names = ["site", "institution"] if settings.by == "site" else ["manufacturer"]
    plain = studies[names].fillna("").apply(lambda column: column.str.strip().str.casefold())
    inside = {}
    for split, groups in ((VAL, settings.val_groups), (TEST, settings.test_groups)):
        _check_groups(groups, plain, studies[names[0]], split, settings.by)
        wanted = [group.strip().casefold() for group in groups]
        rows = plain.isin(wanted).any(axis=1)
        inside[split] = rows.groupby(studies["patient_id"]).any()
    splits = pd.Series(TRAIN, index=inside[TEST].index)
    splits[inside[VAL]] = VAL
    splits[inside[TEST]] = TEST
    return splits


def _check_groups(
    groups: Sequence[str], plain: pd.DataFrame, shown: "pd.Series[str]", split: str, by: str
) -> None:
    there = ", ".join(sorted(set(shown) - {""})[:MAX_NAMED]) or "none"
    if not groups:
        raise UserError(f"splits.by={by} needs splits.{split}_groups=[…]; there are {there}")
    known = set(plain.to_numpy().ravel())
    for place, group in enumerate(groups):
        if group.strip().casefold() not in known:
            raise UserError(f"splits.{split}_groups: number {place + 1} is not there; {there} are")
