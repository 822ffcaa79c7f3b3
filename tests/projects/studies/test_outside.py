"""Pixels outside a beam are found, swapped, and seen to matter or not."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cinelex.data.batch import Batch, Sample
from cinelex.data.synthetic.hospital.beams import draw_beam
from cinelex.projects.studies import outside
from cinelex.projects.studies.outside import beam_of, outside_beam
from tests.projects.studies.test_floors import TOKENIZER, sample
from tests.projects.studies.test_floors import Blind as BlindModel

ROWS = 64


def cine(seed: int, screen: int) -> np.ndarray:
    """Return a beam of speckle on a screen of one level."""
    draw = np.random.default_rng(seed)
    mask = draw_beam(0, ROWS, ROWS, np.random.default_rng(0)).mask(ROWS, ROWS)
    speckle = draw.integers(60, 255, size=(8, ROWS, ROWS))
    return np.where(mask, speckle, screen).astype(np.uint8)[None, ..., None]


@dataclass
class Cines:
    """Studies of one clip each."""

    clips: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.clips)

    def of_pixels(self) -> "Cines":
        return self

    @property
    def tokenizer(self) -> Any:
        return TOKENIZER

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        return sample(self.clips[index])


def moved(clips: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Return what is found with a model that sees the mean level of a study."""

    def encode(_: object, batch: Batch) -> SimpleNamespace:
        return SimpleNamespace(study=batch.clips.float().flatten(1).mean(1, keepdim=True))

    monkeypatch.setattr(outside, "encode_batch", encode)
    return outside_beam(BlindModel(), Cines(clips))


def test_the_beam_is_what_moves() -> None:
    mask = beam_of(cine(0, screen=0)[0])
    assert mask is not None
    own = cine(0, screen=0)[0, :, :, :, 0].max(axis=0) > 0
    assert (mask | ~own).mean() > 0.999, "nothing of it is outside"
    assert (mask & ~own).mean() < 0.2


def test_a_still_picture_and_one_that_moves_everywhere_have_no_beam() -> None:
    assert beam_of(np.full((4, 16, 16, 1), 7, np.uint8)) is None
    noise = np.random.default_rng(0).integers(0, 255, size=(4, 32, 32, 1)).astype(np.uint8)
    assert beam_of(noise) is None


def test_a_black_outside_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert moved([cine(seed, screen=0) for seed in (0, 1)], monkeypatch) == {
        "check/outside_beam": 0.0
    }


def test_screens_of_two_machines_can_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = moved([cine(0, screen=0), cine(1, screen=40)], monkeypatch)
    assert found["check/outside_beam"] > 0.5


def test_nothing_is_said_of_pictures_without_a_beam(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 255, size=(2, 1, 4, 32, 32, 1)).astype(np.uint8)
    assert moved(list(noise), monkeypatch) == {}
