"""One study: its plan, and its files. As a program, a process that renders studies.

The program reads a `Task` and answers a line of JSON a study: its rows. It imports neither torch
nor whoever started it, so it is at work within half a second.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter

from cinelex.data.synthetic.cines.cine import CinePlan, add_noise, render_cine
from cinelex.data.synthetic.cines.echo import echo, without_speckle
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.video import decode_grey, encode_grey, spoil

COLUMNS: Final = (
    *("study_id", "patient_id", "video_path", "report", "split", "view", "noise_mse", "findings"),
)
Row = list[str]
"""The cells of one video, in the order of `COLUMNS`."""


@dataclass(frozen=True)
class StudyPlan:
    """One study before it is rendered."""

    id: str
    patient_id: str
    split: str
    findings: Findings
    """What the pixels show."""
    report: str
    """Tells of `findings`, unless label noise struck."""
    cines: tuple[CinePlan, ...]
    corrupted: tuple[bool, ...]
    """For each cine, whether its file is unreadable."""


@dataclass(frozen=True)
class Task:
    """What a rendering process is told."""

    settings: StudySetSettings
    folder: Path
    studies: list[StudyPlan]


TASK: Final = TypeAdapter(Task)


def write_study(plan: StudyPlan, settings: StudySetSettings, folder: Path) -> list[Row]:
    """Write the videos of one study under `folder`/videos and return its manifest rows."""
    rows = []
    for place, (cine, corrupted) in enumerate(zip(plan.cines, plan.corrupted, strict=True)):
        clean = render_cine(cine, settings)
        pixels = add_noise(clean, cine, settings)
        if settings.speckle:
            draw = np.random.default_rng((cine.view_seed, 5))
            pixels = echo(pixels, settings.size, settings.size, draw)
            clean = without_speckle(clean)
        encoded = encode_grey(pixels)
        if corrupted:
            content = spoil(encoded.content, np.random.default_rng((cine.view_seed, 4)))
            noise_mse = ""
        else:
            content = encoded.content
            error = decode_grey(encoded) * np.float32(1 / 255) - clean
            noise_mse = f"{float(np.square(error).mean()):.4e}"
        path = f"videos/{plan.id}-{place}.mp4"
        (folder / path).write_bytes(content)
        truth = json.dumps(plan.findings.to_json())
        who = [plan.id, plan.patient_id, path, plan.report, plan.split]
        rows.append([*who, str(cine.view), noise_mse, truth])
    return rows


if __name__ == "__main__":
    task = TASK.validate_json(sys.stdin.buffer.read())
    for study in task.studies:
        rows = write_study(study, task.settings, task.folder)
        sys.stdout.write(json.dumps(rows) + "\n")
        sys.stdout.flush()
