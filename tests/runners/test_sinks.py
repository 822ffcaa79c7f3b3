"""W&B gets scalars, stays offline without a login, and never sees the studies."""

from pathlib import Path

import pytest

from runners.sinks import WandbSink

CANARY = "zxcanary"


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a user who never logged in, with a home of their own."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("WANDB_API_KEY", "WANDB_MODE", "NETRC", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    for name in ("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(home / name))
    return home


def test_without_a_login_it_writes_into_the_run_alone(
    nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / CANARY
    monkeypatch.setattr("sys.argv", ["main.py", f"data.manifest={secret}/manifest.csv"])
    folder = tmp_path / "runs" / "run"
    sink = WandbSink(project="cinelex", name="run", folder=folder)
    sink.write(1, {"loss": 7.25, "loss/contrastive": 3.0})
    sink.write(2, {"loss": 6.5})
    sink.close()
    written = [path for path in (folder / "wandb").rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in written)
    assert any("offline" in str(path) for path in written)
    assert any(b"loss/contrastive" in path.read_bytes() for path in written)
    leaking = [path.name for path in written if CANARY.encode() in path.read_bytes()]
    assert leaking == []
