"""The script for a GPU, on the CPU at the least sizes: so that it cannot rot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.device.__main__ import PARTS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "device.sh"


@pytest.mark.slow
def test_every_part_of_the_device_script_runs(tmp_path: Path) -> None:
    named = {**os.environ, "PYTHON": sys.executable}
    command = ["bash", str(SCRIPT), "--dry", "--out", str(tmp_path)]
    done = subprocess.run(command, env=named, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "device.json").read_text())["parts"]
    assert all(found[name] for name in PARTS)
    right = {r["what"]: r["met"] for part in ("losses", "resume", "ranks") for r in found[part]}
    assert all(right.values()), right
    assert "| P5 multitask step" in (tmp_path / "device.md").read_text()
