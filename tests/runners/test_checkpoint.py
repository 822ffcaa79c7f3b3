"""A checkpoint is whole or not there, and anything else is refused by name."""

from pathlib import Path

import pytest
import torch
from torch import nn

from core.errors import UserError
from core.files import read_json, write_json
from runners import checkpoint
from runners.checkpoint import Position


def trained(seed: int = 0) -> tuple[nn.Module, torch.optim.AdamW]:
    """A small model after a step."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def save(folder: Path, step: int = 1, keep: int = 2, seed: int = 0) -> Path:
    model, optimizer = trained(seed)
    return checkpoint.save(
        folder,
        model=model,
        optimizer=optimizer,
        position=Position(step=step, records=10 * step, skipped=1),
        provenance={"data": "d"},
        keep=keep,
    )


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    path = save(tmp_path, step=7)
    expected_draw = torch.rand(3)
    model, optimizer = trained(seed=1)
    position, provenance = checkpoint.restore(path, model=model, optimizer=optimizer)
    assert torch.equal(torch.rand(3), expected_draw), "the random state came back"
    assert position == Position(step=7, records=70, skipped=1)
    assert provenance == {"data": "d"}
    saved_model, saved_optimizer = trained()
    torch.testing.assert_close(model.state_dict(), saved_model.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(
        optimizer.state_dict()["state"], saved_optimizer.state_dict()["state"], rtol=0, atol=0
    )


def test_the_newest_few_are_kept_in_the_order_of_numbers(tmp_path: Path) -> None:
    for step in (8, 9, 10, 100):
        save(tmp_path, step=step, keep=2)
    assert checkpoint.steps_saved(tmp_path) == [10, 100]
    newest = checkpoint.newest(tmp_path)
    assert newest == tmp_path / "step-100"


def test_what_a_crash_left_half_written_is_removed_and_not_read(tmp_path: Path) -> None:
    save(tmp_path, step=1)
    leftover = tmp_path / ".part-2"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    assert checkpoint.newest(tmp_path) == tmp_path / "step-1"
    assert not leftover.exists()


def test_a_leftover_does_not_stand_in_the_way_of_the_same_step(tmp_path: Path) -> None:
    leftover = tmp_path / ".part-2"
    leftover.mkdir(parents=True)
    (leftover / "stray").write_bytes(b"half")
    path = save(tmp_path, step=2)
    assert "stray" not in checkpoint.verify(path)["files"]
    assert not (path / "stray").exists()


def test_there_is_nothing_newest_in_an_empty_folder(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path / "checkpoints") is None


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.safetensors", "random-0.safetensors"]
)
def test_one_flipped_bit_is_noticed_and_the_file_is_named(tmp_path: Path, name: str) -> None:
    path = save(tmp_path)
    content = bytearray((path / name).read_bytes())
    content[-1] ^= 1
    (path / name).write_bytes(content)
    model, _ = trained()
    with pytest.raises(UserError, match=name) as complaint:
        checkpoint.restore(path, model=model)
    assert "damaged" in str(complaint.value)
    (path / name).unlink()
    with pytest.raises(UserError, match=name):
        checkpoint.verify(path)


def test_a_state_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path)
    (path / "state.json").write_text('{"format": 1, "posi')
    with pytest.raises(UserError, match=r"state\.json"):
        checkpoint.verify(path)
    (path / "state.json").unlink()
    with pytest.raises(UserError, match=r"state\.json"):
        checkpoint.verify(path)


def test_another_format_is_refused_by_number(tmp_path: Path) -> None:
    path = save(tmp_path)
    write_json(path / "state.json", {**read_json(path / "state.json"), "format": 99})
    with pytest.raises(UserError, match="99"):
        checkpoint.verify(path)


def test_another_model_is_refused_by_its_first_tensor(tmp_path: Path) -> None:
    path = save(tmp_path)
    with pytest.raises(UserError, match=r"2 tensors .*'0\.bias'"):
        checkpoint.restore(path, model=nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(4)))
    with pytest.raises(UserError, match=r"2 tensors .*'1\.bias'"):
        checkpoint.restore(path, model=nn.Sequential(nn.Linear(3, 4)))


def test_the_fingerprint_is_of_the_weights(tmp_path: Path) -> None:
    first = checkpoint.fingerprint(save(tmp_path / "a", step=1))
    assert checkpoint.fingerprint(save(tmp_path / "b", step=2)) == first
    assert checkpoint.fingerprint(save(tmp_path / "c", seed=5)) != first
