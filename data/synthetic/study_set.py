"""Make a synthetic study set on disk: H.264 files and a CSV manifest, cached by its settings."""

import csv
import fcntl
import io
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from core.files import hash_json, write_json, write_whole
from core.progress import progress
from data.synthetic.cine import add_noise, render_cine
from data.synthetic.plan import StudyPlan, plan_studies
from data.synthetic.settings import StudySetSettings
from data.synthetic.video import decode_grey, encode_grey, spoil

FORMAT: Final = 1
"""Goes up whenever the same settings give other files."""
COLUMNS: Final = (
    "study_id",
    "patient_id",
    "video_path",
    "report",
    "split",
    "view",
    "noise_mse",
    "findings",
)

Row = dict[str, str]


def study_set_folder(settings: StudySetSettings, folder: Path) -> Path:
    """Return where in `folder` the set with these settings lives, made or not."""
    return folder / f"synthetic-{hash_json({'format': FORMAT, **asdict(settings)})[:16]}"


def make_study_set(
    settings: StudySetSettings, folder: Path, *, processes: int | None = None
) -> Path:
    """Make the set unless it is there, and return its manifest.csv.

    A set appears whole or not at all; whoever asks for a set that another process is making waits.

    Args:
        settings: What to make.
        folder: Where sets are kept; each has a subfolder named by the hash of its settings.
        processes: How many processes render; None means one per core that this one may use.
    """
    final = study_set_folder(settings, folder)
    manifest = final / "manifest.csv"
    if manifest.exists():
        return manifest
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f".{final.name}.lock"):
        if not manifest.exists():
            _make(settings, final, processes or len(os.sched_getaffinity(0)))
    return manifest


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; a process that dies gives it back."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(settings: StudySetSettings, final: Path, processes: int) -> None:
    """Render into a folder beside the final one and move it there whole."""
    for leftover in final.parent.glob(f".{final.name}.partial-*"):
        shutil.rmtree(leftover)
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{final.name}.partial-", dir=final.parent))
    try:
        (partial_folder / "videos").mkdir()
        rows = _render_all(plan_studies(settings), settings, partial_folder, processes)
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_json(partial_folder / "settings.json", {"format": FORMAT, **asdict(settings)})
        write_whole(partial_folder / "manifest.csv", text.getvalue())
        partial_folder.chmod(0o755)
        partial_folder.rename(final)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)


def _render_all(
    plans: list[StudyPlan], settings: StudySetSettings, folder: Path, processes: int
) -> list[Row]:
    """Write all studies, over `processes` processes, and return their manifest rows."""
    work = partial(write_study, settings=settings, folder=folder)
    if processes == 1 or len(plans) < 8:
        made = progress(map(work, plans), total=len(plans), what="synthetic studies")
        return [row for rows in made for row in rows]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        results = pool.map(work, plans, chunksize=8)
        made = progress(results, total=len(plans), what="synthetic studies")
        return [row for rows in made for row in rows]


def write_study(plan: StudyPlan, settings: StudySetSettings, folder: Path) -> list[Row]:
    """Write the videos of one study under `folder`/videos and return its manifest rows."""
    rows = []
    for place, (cine, corrupted) in enumerate(zip(plan.cines, plan.corrupted, strict=True)):
        clean = render_cine(cine, settings)
        content = encode_grey(add_noise(clean, cine, settings))
        noise_mse = ""
        if corrupted:
            content = spoil(content, np.random.default_rng((cine.view_seed, 4)))
        else:
            error = decode_grey(content) * np.float32(1 / 255) - clean
            noise_mse = f"{float(np.square(error).mean()):.4e}"
        path = Path("videos") / f"{plan.id}-{place}.mp4"
        (folder / path).write_bytes(content)
        values = (plan.id, plan.patient_id, path.as_posix(), plan.report, plan.split)
        truth = json.dumps(plan.findings.to_json())
        rows.append(dict(zip(COLUMNS, (*values, str(cine.view), noise_mse, truth), strict=True)))
    return rows
