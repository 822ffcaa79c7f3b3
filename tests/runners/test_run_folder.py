"""A run's folder belongs to one config and to one set of studies."""

import sqlite3
from pathlib import Path

import pytest
from torch import nn

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.runners.finished import RunRequest, open_finished
from cinelex.runners.run_folder import (
    RunFolder,
    open_for_training,
    provenance_of,
    register,
    write_down,
)
from tests.tiny_run import MULTITASK

HASHES = {"config": "a", "data": "b", "code": "c", "checkpoint": "d"}


def config(folder: Path, *overrides: str) -> RunConfig:
    name = [] if any(item.startswith("name=") for item in overrides) else ["name=run"]
    return load_config(MULTITASK, [f"folder={folder}", *name, *overrides])


def begin(wanted: RunConfig, *, data: str = "one") -> RunFolder:
    """Begin a run: everything is written down, and then its first record."""
    folder = open_for_training(wanted)
    hashes = provenance_of(folder, wanted, data_hash=data)
    write_down(folder, wanted, hashes, nn.Linear(1, 1))
    (folder.path / "metrics.jsonl").write_text('{"kind": "step", "step": 1}\n')
    return folder


def test_what_has_no_record_yet_binds_nobody(tmp_path: Path) -> None:
    first = begin(config(tmp_path))
    (first.path / "metrics.jsonl").write_text("")
    other = config(tmp_path, "batch=6")
    assert provenance_of(open_for_training(other), other, data_hash="other")["data"] == "other"


def test_opening_a_folder_leaves_no_config_in_it(tmp_path: Path) -> None:
    folder = open_for_training(config(tmp_path))
    assert list(folder.path.iterdir()) == []


def test_the_resolved_config_lies_in_the_folder(tmp_path: Path) -> None:
    wanted = config(tmp_path, "batch=6")
    folder = begin(wanted)
    assert folder.path == tmp_path / "run"
    assert load_config(folder.path / "config.yaml") == wanted


@pytest.mark.parametrize(
    "override", ["batch=6", "model.width=64", "seed=3", "data.size=96", "loss_weights.captioning=1"]
)
def test_what_decides_the_numbers_may_not_change(tmp_path: Path, override: str) -> None:
    begin(config(tmp_path))
    with pytest.raises(UserError) as complaint:
        open_for_training(config(tmp_path, override))
    key, value = override.split("=")
    assert f"{key}: " in str(complaint.value)
    assert f"-> {value}" in str(complaint.value)
    assert "\n" not in str(complaint.value)


@pytest.mark.parametrize(
    "override",
    [
        "threads=1",
        "evaluation.bootstrap=7",
        "use_wandb=true",
        "keep_checkpoints=9",
        "data.cache=elsewhere",
        "data.workers=3",
    ],
)
def test_what_decides_no_number_may_change(tmp_path: Path, override: str) -> None:
    begin(config(tmp_path))
    changed = config(tmp_path, override)
    folder = begin(changed)
    assert load_config(folder.path / "config.yaml") == changed


def test_a_run_may_be_moved(tmp_path: Path) -> None:
    begin(config(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert open_for_training(config(tmp_path / "there")).path == tmp_path / "there" / "run"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="folder="):
        open_for_training(config(tmp_path / "file"))


def test_a_run_that_was_never_begun_is_not_finished(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run there"):
        open_finished(RunRequest(config=config(tmp_path)))


def test_other_studies_are_refused(tmp_path: Path) -> None:
    wanted = config(tmp_path)
    folder = begin(wanted)
    lock = provenance_of(folder, wanted, data_hash="one")
    assert read_json(folder.path / "manifest.lock") == lock
    assert all(lock.values())
    with pytest.raises(UserError, match=r"manifest\.lock.*studies have changed"):
        provenance_of(folder, wanted, data_hash="other")
    assert read_json(folder.path / "manifest.lock") == lock


def test_what_differs_is_refused_but_for_what_may_be_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = begin(config(tmp_path))
    changes = ("optimizer.learning_rate=0.5", "optimizer.eps=1e-7", "batch=6")
    with pytest.raises(
        UserError, match=r"batch: .*; optimizer\.eps: .*; optimizer\.learning_rate: "
    ):
        open_for_training(config(tmp_path, *changes))
    with pytest.raises(UserError, match=r"\(batch: [^;]*\)"):
        open_for_training(config(tmp_path, *changes, "resume_skip=[optimizer]"))
    allowed = config(tmp_path, *changes, "resume_skip=[optimizer, batch, data]")
    open_for_training(allowed)
    assert "warning: the run resumes with another config" in capsys.readouterr().out
    assert provenance_of(folder, allowed, data_hash="other")["data"] == "other"


@pytest.mark.parametrize("name", sorted(HASHES))
def test_a_run_without_a_hash_is_not_registered(tmp_path: Path, name: str) -> None:
    for hashes in ({**HASHES, name: ""}, {k: v for k, v in HASHES.items() if k != name}):
        with pytest.raises(ValueError, match=name):
            register(config(tmp_path), hashes)
    assert not (tmp_path / "registry.sqlite").exists()


def test_a_run_is_registered_once(tmp_path: Path) -> None:
    register(config(tmp_path), HASHES)
    register(config(tmp_path), {**HASHES, "checkpoint": "e"})
    register(config(tmp_path, "name=second"), HASHES)
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    found = connection.execute("select name, checkpoint from runs order by name").fetchall()
    connection.close()
    assert found == [("run", "e"), ("second", "d")]
