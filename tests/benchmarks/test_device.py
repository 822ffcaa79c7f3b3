"""The script for a GPU, on the CPU at the least sizes: so that it cannot rot."""

import json
from pathlib import Path

import pytest

from benchmarks.device.__main__ import PARTS, main


@pytest.mark.slow
def test_every_part_of_the_device_script_runs(tmp_path: Path) -> None:
    assert main(["--dry", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "device.json").read_text())["parts"]
    assert all(found[name] for name in PARTS)
    right = {
        row["what"]: row["met"] for part in ("losses", "resume", "ranks") for row in found[part]
    }
    assert all(right.values()), right
    assert "| P5 multitask step" in (tmp_path / "device.md").read_text()
