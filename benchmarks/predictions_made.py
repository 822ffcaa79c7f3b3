"""A set of videos, and the table of predictions that a healthy system would write of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

VIDEOS = 5
"""Of a person, at most."""
SHAPES = ("normal", "dilated", "hypertrophic", "infarcted")


@dataclass(frozen=True)
class Made:
    """A set of videos and what was predicted of it."""

    manifest: pd.DataFrame
    table: pd.DataFrame
    matrices: Mapping[str, np.ndarray]


def make(rows: int, models: int, dim: int, seed: int) -> Made:
    """Return videos of people, embeddings that know the person and the finding, and predictions."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(rows), random.integers(1, VIDEOS + 1, rows))[:rows]
    shape = random.integers(0, len(SHAPES), person.max() + 1)[person]
    ef = 55 + 8 * random.standard_normal(person.max() + 1)[person] - 6 * (shape == 1)
    ids = [f"video{random.integers(10**9):09d}-{index}" for index in range(rows)]
    report = [
        f"{SHAPES[kind]} left ventricle, ejection fraction {value:.0f} %, study quality "
        f"{('good', 'fair')[int(value) % 2]}"
        for kind, value in zip(shape, ef, strict=True)
    ]
    risk = 1 / (1 + np.exp(-(50 - ef - 2 * random.standard_normal(rows)) / 3))
    manifest = pd.DataFrame(
        {
            "video_id": ids,
            "patient_id": [f"p{one}" for one in person],
            "report": report,
            "ef_true": ef.round(2),
            "low_ef": (random.random(rows) < risk).astype(int),
            "frames": random.integers(30, 90, rows),
            "vendor": random.choice(["A", "B", "C"], rows),
        }
    )
    written = [text if random.random() < 0.7 else report[random.integers(rows)] for text in report]
    table = pd.DataFrame(
        {
            "video_id": ids,
            "ef": (ef + 4 * random.standard_normal(rows)).round(3),
            "probability": risk.round(4),
            "written": written,
        }
    )
    return Made(
        manifest,
        table,
        {f"model{n}": _embed(person, shape, ef, dim, seed + n) for n in range(models)},
    )


def _embed(
    person: np.ndarray, shape: np.ndarray, ef: np.ndarray, dim: int, seed: int
) -> np.ndarray:
    random = np.random.default_rng(1000 + seed)
    people = random.standard_normal((person.max() + 1, 32)).astype(np.float32)
    kinds = random.standard_normal((len(SHAPES), 32)).astype(np.float32)
    line = random.standard_normal((32, dim)).astype(np.float32) / 6
    cone = random.standard_normal(dim).astype(np.float32)
    hidden = people[person] + kinds[shape]
    hidden[:, 0] += 0.3 * (ef - 55)
    rows = hidden @ line + cone
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000]
        part += 0.7 * random.standard_normal(part.shape, np.float32)
    return np.asarray(rows)
