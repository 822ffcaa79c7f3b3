"""Children that hang, crash, or meet a full disk; the real ones."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cinelex.core.processes import child_environment
from cinelex.data.prepare import worker_pool
from cinelex.data.prepare.worker_pool import WorkerPool
from cinelex.data.video.frame_store import FrameStore
from tests.data.prepare.exports import run, small_export, tables

pytestmark = pytest.mark.slow
ODD = """
import os, sys, time
from cinelex.core.serving import serve

def answers(request):
    for item in request["items"]:
        if item["name"] == "crash":
            os.kill(os.getpid(), 11)
        if item["name"] == "hang":
            time.sleep(60)
        if item["name"] == "full":
            yield {"store_errno": 28}
            continue
        yield {"said": item["name"]}
    yield {}

serve(answers)
"""


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of a module that does what its items say."""
    (tmp_path / "odd_child.py").write_text(ODD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(worker_pool, "CHILD", "odd_child")


@pytest.mark.usefixtures("odd")
def test_whoever_crashes_or_hangs_costs_its_own_item_alone() -> None:
    """The first of a child as well: the time that it may take to start is no item's."""
    names = ["hang", "a", "crash", "b", "hang", "c"]
    with WorkerPool(1) as pool:
        ((_, answers),) = pool.carry_out("x", [[{"name": name} for name in names]], deadline_s=1.0)
    said = [answer.get("said") or answer["failure"] for answer in answers]
    assert said == ["deadline", "a", "died", "b", "deadline", "c"]


@pytest.mark.usefixtures("odd")
def test_a_full_disk_is_one_line_that_says_to_start_again() -> None:
    with WorkerPool(2) as pool, pytest.raises(ValueError, match="No space left.*resumes from here"):
        list(pool.carry_out("x", [[{"name": "a"}], [{"name": "full"}]], deadline_s=9.0))


def command(export: Path, out: Path) -> list[str]:
    module = [sys.executable, "-m", "cinelex.scripts.prepare"]
    return [*module, f"--dicom={export}", f"--out={out}", "min_confidence=0", "workers=1"]


def test_a_run_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    export, out = small_export(tmp_path / "export"), tmp_path / "out"
    process = subprocess.Popen(command(export, out), env=child_environment())
    while process.poll() is None and not list(out.glob("private/files/*.parquet")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.parquet").exists()
    limited = f"ulimit -f 8; exec {' '.join(command(export, out))}"
    # under a limit Python keeps the first part of what it compiles, and nobody could load that
    env = child_environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
    full = subprocess.run(["/bin/bash", "-c", limited], env=env, capture_output=True, text=True)
    assert full.returncode == 2
    assert full.stderr.startswith("error: the disk of --out could not be written to")
    assert full.stderr.count("\n") == 1
    run(export, out)
    ledger, manifest = tables(out)
    assert dict(ledger["decision"].value_counts()) == {"kept": 12, "dropped": 2}
    store = FrameStore(out / "store")
    assert all(video.removeprefix("store:") in store for video in manifest["video_path"])
    assert store.verify() == []
