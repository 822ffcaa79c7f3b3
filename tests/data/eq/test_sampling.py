"""Batches are balanced and functions of the step; people stay together; the made-up file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.data.eq.dataset import EqDataset, grouped_split
from cinelex.data.eq.file import EqRow, read_eq_file
from cinelex.data.eq.parameters import PARAMETERS
from cinelex.data.eq.sampler import ClassBalancedSampler
from cinelex.data.synthetic.equalizer import (
    EqSetSettings,
    eq_file_text,
    make_eq_file,
)

MIDDLE = tuple((item.low + item.high) / 2 for item in PARAMETERS)
COUNTS = (50, 20, 3)


def labels() -> np.ndarray:
    """Fifty settings of one descriptor, twenty of another, three of a third."""
    kind = np.repeat(np.arange(3), COUNTS)
    return kind[:, None] == np.arange(3)


def test_every_descriptor_has_its_share_of_a_batch_however_rare() -> None:
    sampler = ClassBalancedSampler(labels()[:70, :2], batch=20, seed=0)
    for step in range(40):
        batch = sampler.batch_at(step)[1]
        assert len(set(batch)) == 20
        assert sum(setting < 50 for setting in batch) == 10


def test_a_descriptor_that_runs_out_leaves_its_slots_to_the_others() -> None:
    sampler = ClassBalancedSampler(labels(), batch=30, seed=0)
    for step in range(20):
        batch = sampler.batch_at(step)[1]
        assert len(set(batch)) == 30
        assert {70, 71, 72} <= set(batch)


def test_every_setting_of_a_descriptor_comes_equally_often() -> None:
    sampler = ClassBalancedSampler(labels()[:70, :2], batch=20, seed=3)
    seen = Counter(setting for step in range(50) for setting in sampler.batch_at(step)[1])
    assert {seen[setting] for setting in range(50)} == {10}
    assert {seen[setting] for setting in range(50, 70)} == {25}


def test_a_batch_is_a_function_of_seed_and_step_alone() -> None:
    first, again = (ClassBalancedSampler(labels(), batch=12, seed=5) for _ in range(2))
    later = [first.batch_at(step) for step in range(8)]
    assert again.batch_at(7) == later[7]
    assert ClassBalancedSampler(labels(), batch=12, seed=6).batch_at(7) != later[7]
    assert [epoch for epoch, _ in later] == [step * 12 // 73 for step in range(8)]


def test_too_few_settings_and_unused_descriptors_are_refused() -> None:
    with pytest.raises(UserError, match="lower batch to at most 73"):
        ClassBalancedSampler(labels(), batch=74, seed=0)
    with pytest.raises(UserError, match="eq.min_settings"):
        ClassBalancedSampler(labels()[:60], batch=10, seed=0)


def rows(people: int, each: int = 6) -> list[EqRow]:
    """Settings of people who use two words, and one that nobody learns."""
    words = ("warm", "bright", "odd")
    return [
        EqRow(f"{person}-{number}", (words[number % 3],), person, MIDDLE)
        for person in range(people)
        for number in range(each)
    ]


def test_all_settings_of_a_person_are_in_one_split() -> None:
    splits = grouped_split(rows(20), ("warm", "bright"), folds=5, seed=0)
    people = {name: {row.person for row in part} for name, part in splits.items()}
    assert set.union(*people.values()) == set(range(20))
    assert sum(len(part) for part in people.values()) == 20
    assert [len(splits[name]) for name in ("test", "val", "train")] == [16, 16, 48]
    assert all("odd" not in row.descriptors for part in splits.values() for row in part)
    assert splits != grouped_split(rows(20), ("warm", "bright"), folds=5, seed=1)


def test_too_few_people_are_refused() -> None:
    with pytest.raises(UserError, match="eq.folds"):
        grouped_split(rows(3), ("warm", "bright"), folds=5, seed=0)


def test_a_batch_holds_units_labels_and_keys_of_its_moment() -> None:
    data = EqDataset(rows(2), ("warm", "bright"), seed=4)
    batch = data.batch([3, 0], epoch=1)
    assert batch.ids == ["0-3", "0-0"]
    assert torch.equal(batch.units, data.units[[3, 0]])
    assert batch.labels.tolist() == [[True, False], [True, False]]
    assert torch.equal(data.batch([0], epoch=1).keys, batch.keys[1:])
    assert not torch.equal(data.batch([0], epoch=2).keys, batch.keys[1:])
    parts = data.batch(range(5), epoch=0).split(2)
    assert [part.ids for part in parts] == [["0-0", "0-1"], ["0-2", "0-3", "0-4"]]
    with pytest.raises(UserError, match="gradient_accumulation_steps"):
        batch.split(3)


def test_the_made_up_file_is_of_the_real_format_and_of_nobody(tmp_path: Path) -> None:
    settings = EqSetSettings(rows=400, people=40, seed=1)
    path = make_eq_file(settings, tmp_path)
    assert make_eq_file(settings, tmp_path) == path
    assert path.read_text() == eq_file_text(settings)
    found = read_eq_file(path, reject_limit=0.0)
    assert len(found.rows) == 400
    counts = Counter(word for row in found.rows for word in row.descriptors)
    assert min(counts["warm"], counts["bright"]) > 80
    assert 20 < len({row.person for row in found.rows}) <= 40
    for line in path.read_text().splitlines():
        cells = line.replace(", ", ";").split(",")
        assert len(cells) == 25
        assert cells[2].startswith("203.0.113.")
        assert cells[18:24] == [""] * 6


def test_a_made_up_word_means_what_its_curve_says() -> None:
    text = eq_file_text(EqSetSettings(rows=600, people=60, seed=2, label_noise=0.0))
    lows: dict[str, list[float]] = {"warm": [], "bright": []}
    for line in text.splitlines():
        cells = line.replace(", ", ";").split(",")
        word = cells[1].strip().strip('"').lower()
        if word in lows:
            lows[word].append(float(cells[5]) - float(cells[16]))
    assert np.mean(lows["warm"]) > 3.0
    assert np.mean(lows["bright"]) < -3.0
