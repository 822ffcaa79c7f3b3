"""Manifest files that tests write."""

from pathlib import Path

from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.study import Columns, Manifest

HEADER = "study_id,video_path,report,split\n"
PATIENTS = Columns(patient="patient", noise_mse="noise")
SECRET = "CANARY JOHN DOE"


def load(
    folder: Path, text: str | bytes, columns: Columns | None = None, **more: object
) -> Manifest:
    path = folder / "manifest.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_manifest(path, columns=columns, **more)  # type: ignore[arg-type]
