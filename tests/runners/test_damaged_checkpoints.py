"""Runs whose checkpoints were damaged."""

from pathlib import Path

import pytest

from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file
from cinelex.core.weights import load_weights
from cinelex.runners.restore import restore
from tests.runners.checkpoints import save, trained


def damage(path: Path) -> None:
    (path / "model.safetensors").write_bytes(b"")


def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_it_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, step=1)
    damage(save(tmp_path, step=2))
    model, optimizer = trained(seed=1)
    position, found = restore(tmp_path, model=model, optimizer=optimizer)
    assert (position.step, found) == (1, tmp_path / "step-1")
    said = capsys.readouterr().out
    assert "model.safetensors" in said
    assert "going back" in said
    assert (tmp_path / ".damaged-2" / "model.safetensors").exists(), "nothing was deleted"
    assert checkpoint.steps_saved(tmp_path) == [1]


def test_every_file_is_hashed_once_to_go_on_or_to_evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def count(path: Path) -> str:
        hashed.append(path.name)
        return hash_file(path)

    files = ["model.safetensors", "optimizer.safetensors", "random.safetensors"]
    save(tmp_path)
    monkeypatch.setitem(vars(checkpoint), "hash_file", count)
    model, optimizer = trained(seed=1)
    assert checkpoint.note(tmp_path, "wandb") is None
    restore(tmp_path, model=model, optimizer=optimizer)
    assert sorted(hashed) == files
    hashed.clear()
    found = checkpoint.newest(tmp_path, strict=True)
    assert found is not None
    load_weights(found, model)
    assert found.fingerprint
    assert sorted(hashed) == files


def test_a_strict_run_refuses_a_damaged_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, step=1)
    damage(save(tmp_path, step=2))
    with pytest.raises(UserError, match=r"step-2.model\.safetensors"):
        checkpoint.newest(tmp_path, strict=True)


def test_a_run_whose_checkpoints_are_all_damaged_does_not_begin_again(tmp_path: Path) -> None:
    damage(save(tmp_path, step=1))
    with pytest.raises(UserError, match="no checkpoint can be used"):
        checkpoint.newest(tmp_path)
