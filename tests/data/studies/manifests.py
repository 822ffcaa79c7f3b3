"""Manifest files that tests write."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from cinelex.data.studies.manifest import Manifest, load_manifest
from cinelex.data.studies.studies import PER_VIDEO, Studies
from cinelex.data.studies.study import Columns, Study

HEADER = "study_id,video_path,report,split\n"
PATIENTS = Columns(patient="patient", noise_mse="noise")
SECRET = "CANARY JOHN DOE"


def load(
    folder: Path, text: str | bytes, columns: Columns | None = None, **more: object
) -> Manifest:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_manifest(path, columns=columns, **more)  # type: ignore[arg-type]


def table_of(studies: Sequence[Study], root: Path) -> Studies:
    """Return studies whose videos are below a root as the manifest holds them."""
    reports = pa.array([study.report for study in studies], pa.large_string())
    table = {
        "id": pa.array([study.id for study in studies], pa.large_string()),
        "patient": pa.array([study.patient_id for study in studies], pa.large_string()),
        "split": pa.array([study.split for study in studies], pa.large_string()),
        "report": reports.dictionary_encode(),
        "noise_mse": pa.array([study.noise_mse for study in studies], pa.float64()),
        **{name: pa.nulls(len(studies), pa.large_list(pa.float64())) for name in PER_VIDEO},
        "videos": pa.array(
            [[str(video.relative_to(root)) for video in study.videos] for study in studies],
            pa.large_list(pa.large_string()),
        ),
    }
    return Studies(pa.table(table), root)
