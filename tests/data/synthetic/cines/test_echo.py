"""Cines as ultrasound shows them: bright vessels, and speckle of the contrast that it must have."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest

from cinelex.data.synthetic.cines.cine import render_cine
from cinelex.data.synthetic.cines.echo import echo, without_speckle
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.study_set import make_study_set


def test_even_tissue_has_its_mean_and_the_contrast_of_two_draws_of_speckle() -> None:
    gray = np.full((40, 16, 16), 128, np.uint8)
    seen = echo(gray, 64, 96, np.random.default_rng(0)).astype(float)
    assert seen.shape == (40, 64, 96)
    mean = 2 + 150 * (0.16 + 0.84 * (255 - 128) / 255)
    assert seen.mean() == pytest.approx(mean, rel=0.02)
    assert 255 * without_speckle(gray / np.float32(255)) == pytest.approx(mean)
    # the root of 0.6 E + 0.4 E' is nearly that of a gamma variable of shape 1 / (0.6^2 + 0.4^2),
    # which deviates by 0.37 of its mean; two independent ones are averaged
    assert seen.std() / (mean - 2) == pytest.approx(0.37 / np.sqrt(2), rel=0.03)


def test_a_set_with_speckle_has_bright_vessels_and_says_how_far_its_files_lie(
    tmp_path: Path,
) -> None:
    settings = StudySetSettings(
        train_studies=1, val_studies=0, test_studies=0, frames=8, speckle=True
    )
    manifest = make_study_set(settings, tmp_path, processes=1)
    with manifest.open(newline="") as handle:
        row = next(csv.DictReader(handle))
    with av.open(manifest.parent / row["video_path"]) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    seen = np.stack(frames).astype(np.float32)
    clean = render_cine(plan_studies(settings)[0].cines[0], settings)
    vessels, lung = clean < np.quantile(clean, 0.02), clean > np.quantile(clean, 0.98)
    assert seen[vessels].mean() > 2 * seen[lung].mean()
    expected = (2 + 150 * (0.16 + 0.84 * (1 - clean))) / 255
    assert float(row["noise_mse"]) == pytest.approx(
        np.square(seen / 255 - expected).mean(), rel=0.1
    )
