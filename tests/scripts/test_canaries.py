"""Reports, names and paths of studies are in the outputs about studies, and nowhere else."""

import csv
from pathlib import Path

from tests.tiny_run import FinishedRun

ABOUT_STUDIES = (
    *("rejects.csv", "predictions", "tokenizer", "report.html", "results.json"),
    *("embeddings.parquet", "facts.json"),
)
"""What a run says of single studies, or, as tokenizer and facts.json do, with their words."""


def private_strings(cache: Path) -> set[bytes]:
    manifest = next((cache / "synthetic").glob("synthetic-*/manifest.csv"))
    with manifest.open(newline="") as stream:
        studies = list(csv.DictReader(stream))
    found = {row[name] for row in studies for name in ("study_id", "patient_id", "video_path")}
    found |= {row["report"].split(".")[0] for row in studies}
    return {item.encode() for item in found}


def test_private_strings_are_only_in_the_declared_outputs(
    finished_run: FinishedRun, study_cache: Path
) -> None:
    private = private_strings(study_cache)
    assert len(private) > 100
    assert [item for item in private if item in finished_run.output.encode()] == []
    checked = []
    for path in sorted(finished_run.path.rglob("*")):
        name = path.relative_to(finished_run.path)
        if path.is_file() and name.parts[0] not in ABOUT_STUDIES:
            checked.append(str(name))
            content = path.read_bytes()
            assert [item for item in private if item in content] == [], name
    assert "metrics.jsonl" in checked
    assert "manifest.lock" in checked
    assert any(name.endswith("model.safetensors") for name in checked)
