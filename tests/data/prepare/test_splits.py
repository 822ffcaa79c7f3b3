"""Patients are shared out so that nobody moves, and what splits share is found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cinelex.core.errors import UserError
from cinelex.data.prepare.leakage import across_splits, near_pairs
from cinelex.data.prepare.likeness import likeness
from cinelex.data.prepare.settings import SplitSettings
from cinelex.data.prepare.split_balance import likeness_of_splits
from cinelex.data.prepare.splits import assign_splits
from tests.data.prepare.exports import moving

SALT = "00" * 16


def studies(patients: int) -> pd.DataFrame:
    names = [f"p{number}" for number in range(patients)]
    return pd.DataFrame(
        {
            "patient_id": names,
            "study_date": [f"2018-{1 + n % 12:02d}-01" for n in range(patients)],
            "site": ["a" if n % 4 else "b" for n in range(patients)],
            "institution": ["Alpha" if n % 4 else "Beta" for n in range(patients)],
            "manufacturer": "Acme",
        }
    )


def test_random_splits_have_their_shares_and_new_patients_move_nobody(tmp_path: Path) -> None:
    settings = SplitSettings(val=0.1, test=0.2)
    few = assign_splits(studies(500), settings, salt=SALT, memory=tmp_path / "x")
    many = assign_splits(studies(2000), settings, salt=SALT, memory=tmp_path / "x")
    assert (many[few.index] == few).all()
    # three standard deviations of 2,000 draws
    assert abs((many == "test").mean() - 0.2) < 3 * np.sqrt(0.2 * 0.8 / 2000)
    assert abs((many == "val").mean() - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 2000)


def test_splits_by_time_keep_the_days_that_were_chosen_first(tmp_path: Path) -> None:
    settings = SplitSettings(by="time", val=0.25, test=0.25)
    first = assign_splits(studies(12), settings, salt=SALT, memory=tmp_path / "days")
    assert first.value_counts().to_dict() == {"train": 6, "val": 3, "test": 3}
    later = studies(12).assign(patient_id=[f"q{n}" for n in range(12)], study_date="2019-01-01")
    both = pd.concat([studies(12), later])
    second = assign_splits(both, settings, salt=SALT, memory=tmp_path / "days")
    assert (second[first.index] == first).all()
    assert set(second[later["patient_id"]]) == {"test"}


def test_a_site_is_held_out_by_key_or_by_name(tmp_path: Path) -> None:
    for name in ("b", "beta"):
        settings = SplitSettings(by="site", val_groups=("a",), test_groups=(name,))
        splits = assign_splits(studies(8), settings, salt=SALT, memory=tmp_path / "x")
        assert splits.value_counts().to_dict() == {"val": 6, "test": 2}
    with pytest.raises(UserError, match="number 1 is not there; a, b are"):
        assign_splits(
            studies(8),
            SplitSettings(by="site", val_groups=("Gamma",), test_groups=("b",)),
            salt=SALT,
            memory=tmp_path / "x",
        )


def test_a_cine_in_another_encoding_is_near_and_another_cine_is_not() -> None:
    cine = moving(1)[..., None]
    noisy = np.clip(cine + np.random.default_rng(0).normal(0, 1, cine.shape), 0, 255)
    shown = [cine, noisy.astype(np.uint8), moving(2)[..., None], moving(3)[..., None]]
    codes = np.stack([np.frombuffer(likeness(frames), np.uint8) for frames in shown])
    assert near_pairs(codes) == [(0, 1)]
    rows = pd.DataFrame(
        {
            "key": list("abcd"),
            "likeness": [code.tobytes() for code in codes],
            "pixels": list("wxyz"),
            "split": ["train", "test", "train", "test"],
        }
    )
    assert across_splits(rows).to_dict("records") == [
        {"first": "a", "second": "b", "splits": "test and train", "equal": False}
    ]
    assert across_splits(rows[rows["split"] == "train"]).empty


def test_splits_by_site_differ_more_than_random_ones() -> None:
    told = studies(80).assign(modality="XA", sex="F", age=50, year=2018)
    told["split"] = told["site"].map({"a": "train", "b": "test"})
    rows = {name: (found, null) for name, _, found, null in likeness_of_splits(told)}
    assert rows["site"][0] == "1.000"
    assert float(rows["site"][1]) < 0.5
    assert rows["modality"] == ("0.000", "0.000")
