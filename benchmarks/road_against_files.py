r"""What the road makes of a hospital, beside the same studies as video files.

    python -m benchmarks.road_against_files --folder FOLDER                    # makes both
    bash scripts/prepare.sh --dicom HOSPITAL/export --reports HOSPITAL/reports.csv --out DATASET \
        modalities=[XA,XA_ENHANCED] \
        splits.by=time splits.val_from=2019-01-01 splits.test_from=2020-01-01
    python -m benchmarks.road_against_files --folder FOLDER --dataset DATASET  # compares

The studies are those that config/clip/multitask_config.yaml makes. All cines are angiograms, none
is cut to a circle or has letters over it, and every report is there as it is: those would be
another task. The exit code is 1 where a study, its split, its report or its cines differ.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8

from benchmarks.road import join
from benchmarks.road_checks import Checks
from benchmarks.road_manifest import kept_files
from cinelex.config.load import load_config
from cinelex.core.progress import progress
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.study_set import make_study_set
from cinelex.data.synthetic.hospital.make import make_hospital
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.resize import Shape, reshape_frame
from cinelex.data.video.wanted import STORED

CONFIG = Path(__file__).parents[1] / "config" / "clip" / "multitask_config.yaml"
SAME_TASK = dict.fromkeys(
    (
        "ultrasound_rate", "circle_rate", "text_in_picture_rate",
        "named_findings_rate", "missing_report_rate",
    ),
    0.0,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Make both sets, or print the table; return 1 where a line of it fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.road_against_files", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where both sets are made")
    parser.add_argument("--dataset", type=Path, help="what prepare.sh made of the hospital")
    parser.add_argument("--studies", type=int, help="to train on, instead of the config's number")
    chosen = parser.parse_args(arguments)
    settings = studies_of_config(chosen.studies)
    hospital = make_hospital(HospitalSettings(studies=settings, **SAME_TASK), chosen.folder)
    manifest = make_study_set(settings, chosen.folder)
    if chosen.dataset is None:
        sys.stdout.write(f"hospital {hospital}\nvideo files {manifest}\n")
        return 0
    checks = Checks()
    compare(checks, hospital, chosen.dataset, manifest, settings.size)
    sys.stdout.write(checks.table())
    return int(checks.failed)


def studies_of_config(train: int | None = None) -> StudySetSettings:
    """Return the studies that the shipped config makes."""
    data = load_config(CONFIG).data
    options = data.synthetic.model_dump()
    splits = {f"{name}_studies": options.pop(name) for name in ("train", "val", "test")}
    if train is not None:
        splits["train_studies"] = train
    return StudySetSettings(size=data.size, frames=data.stored_frames or 16, **splits, **options)


def compare(checks: Checks, hospital: Path, dataset: Path, manifest: Path, size: int) -> None:
    """Hold every cine, report and split of the data set against the files."""
    files = pd.read_csv(manifest)
    cines = kept_files(join(hospital, dataset))
    cines = cines.assign(
        video_path="videos/"
        + cines["study"]
        + "-"
        + cines["cine"].astype(int).astype(str)
        + ".mp4",
        stored="store:" + cines["ledger_cine"],
    )
    ours = pd.read_parquet(dataset / "manifest.parquet").rename(columns={"video_path": "stored"})
    rows = files.merge(cines[["video_path", "stored", "windowed"]], on="video_path")
    rows = rows.merge(ours, on="stored", suffixes=("", "_ours"))
    checks.add("cines in both", len(rows), len(files))
    checks.add("cines of the data set alone", len(ours) - len(rows), 0)
    for name in ("split", "report"):
        checks.add(f"cines with another {name}", int((rows[name] != rows[f"{name}_ours"]).sum()), 0)
    taken = ours.merge(rows[["stored", "video_path"]], on="stored").groupby("study_id")
    in_order = taken["video_path"].agg(lambda paths: paths.is_monotonic_increasing)
    checks.add("studies whose cines are in another order", int((~in_order).sum()), 0)
    pairs = zip(rows["video_path"], rows["stored"], strict=True)
    store = FrameStore(dataset / "store")
    apart = np.array(
        [
            levels_apart(manifest.parent / path, store.frames(key.removeprefix(STORED)), size)
            for path, key in progress(pairs, total=len(rows), what="cines")
        ]
    )
    stated = rows["windowed"].to_numpy(bool)
    for name, some in (("stated", stated), ("not stated", ~stated)):
        found = ", ".join(f"{level:.2f}" for level in np.percentile(apart[some], (50, 95, 100)))
        checks.say(f"levels apart, window {name}: median, 95 %, most", found)


def levels_apart(
    path: Path, frames: UInt8[np.ndarray, "frame row column channel"], size: int
) -> float:
    """Return by how many levels frames differ from those of a file, in the mean."""
    shape = Shape(size=size, channels=1)
    ours = np.stack([reshape_frame(frame, shape=shape) for frame in frames]).astype(np.int16)
    theirs = PyAVDecoder().read(path, range(len(frames)))[..., :1]
    return float(np.abs(ours - theirs).mean())


if __name__ == "__main__":
    sys.exit(main())
