"""W&B gets scalars, stays offline without a login, and never sees the studies."""

import csv
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wandb

from cinelex.runners.sinks import WandbSink
from tests.tiny_run import FinishedRun, arguments, succeed

CANARY = "zxcanary"


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be a user who never logged in, with a home of their own."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("WANDB_API_KEY", "WANDB_MODE", "NETRC", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(home / name))
    yield home
    wandb.teardown()


def written_below(folder: Path) -> dict[str, bytes]:
    """Return what W&B left, by file, after its own process has ended."""
    wandb.teardown()
    paths = [path for path in (folder / "wandb").rglob("*") if path.is_file()]
    assert any("offline" in str(path) for path in paths)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def sent(written: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out the logs, which stay on this machine; the rest is what `wandb sync` would send."""
    found = {name: content for name, content in written.items() if not name.endswith(".log")}
    assert any(name.endswith(".wandb") for name in found)
    return found


def test_without_a_login_scalars_are_written_into_the_run(
    nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["main.py", f"data.manifest={tmp_path}/{CANARY}/manifest.csv"]
    monkeypatch.setattr("sys.argv", command)
    sink = WandbSink(
        project="cinelex",
        name="run",
        folder=tmp_path / "run",
        run_id="abcd1234",
        patience_s=200.0,
    )
    sink.write(1, {"loss": 7.25, "loss/contrastive": 3.0})
    sink.write(2, {"loss": 6.5})
    sink.alert("D16 warning", "an end of its range")
    sink.close()
    written = written_below(tmp_path / "run")
    assert any(b"loss/contrastive" in content for content in written.values())
    assert [name for name, content in written.items() if CANARY.encode() in content] == []
    here = str(tmp_path).encode()
    assert [name for name, content in sent(written).items() if here in content] == []


def test_a_run_sends_no_report_no_study_and_no_path(
    nobody: Path, tmp_path: Path, study_cache: Path, finished_run: FinishedRun
) -> None:
    assert finished_run.path.exists(), "the studies were made by it"
    short = ("name=run", "steps=2", "evaluation.max_new_tokens=4", "--use_wandb", "true")
    said = succeed(arguments(tmp_path, study_cache, *short))
    assert "W&B is not logged in" in said
    manifest = next((study_cache / "synthetic").glob("synthetic-*/manifest.csv"))
    with manifest.open(newline="") as stream:
        studies = list(csv.DictReader(stream))
    private = {row["study_id"] for row in studies} | {row["patient_id"] for row in studies}
    private |= {row["video_path"] for row in studies}
    private |= {row["report"].split(".")[0] for row in studies}
    written = written_below(tmp_path / "run")
    assert any(b"loss/captioning" in content for content in written.values())
    for name, content in written.items():
        assert [item for item in private if item.encode() in content] == [], name
    for name, content in sent(written).items():
        assert str(tmp_path).encode() not in content, name
        assert str(study_cache).encode() not in content, name


class SlowRun:
    """A run at W&B whose server does not answer."""

    def __init__(self, answered: threading.Event) -> None:
        self.answered = answered

    def log(self, numbers: dict[str, float], step: int) -> None:
        self.answered.wait(60)

    def finish(self) -> None:
        self.answered.wait(60)


def sink_with(
    init: Callable[..., object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> WandbSink:
    monkeypatch.setattr(wandb, "init", init)
    return WandbSink(
        project="cinelex", name="run", folder=folder, run_id="abcd1234", patience_s=0.3
    )


def test_a_server_that_refuses_costs_one_warning_with_the_command_for_later(
    nobody: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(**options: object) -> object:
        raise wandb.errors.CommError("409 conflict, quota exceeded")

    sink = sink_with(refuse, tmp_path, monkeypatch)
    sink.write(1, {"loss": 1.0})
    sink.close()
    said = capsys.readouterr().out
    assert said.count("warning") == 1
    assert f"wandb sync {tmp_path}/wandb/*run-*" in said


def test_a_server_that_never_answers_does_not_hold_up_the_run(
    nobody: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(WandbSink, "QUEUED", 5)
    sink = sink_with(lambda **options: SlowRun(answered), tmp_path, monkeypatch)
    for step in range(1, 21):
        sink.write(step, {"loss": 1.0})
    thread = sink._thread
    sink.close()
    assert thread is not None
    assert thread.is_alive(), "it was left behind, not waited for"
    said = capsys.readouterr().out
    assert "no answer within 0.3 s" in said
    # five wait in the queue, at most one is in hand; the end mark is dropped too
    assert sink.dropped >= 20 - 6
    answered.set()
    thread.join(1)
