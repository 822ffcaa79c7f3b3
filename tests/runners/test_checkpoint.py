"""A checkpoint is whole or not there, and anything else is refused by name."""

from pathlib import Path

import pytest
import torch
from torch import nn

from cinelex.core import checkpoint
from cinelex.core.checkpoint import Position
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, read_json, write_json
from cinelex.core.weights import load_weights
from cinelex.runners import saving
from cinelex.runners.restore import restore
from cinelex.runners.snapshot import Snapshots
from tests.runners.checkpoints import save, trained


def test_what_is_restored_is_what_was_saved(tmp_path: Path) -> None:
    path = save(tmp_path, step=7)
    expected_draw = torch.rand(3)
    model, optimizer = trained(seed=1)
    position, found = restore(tmp_path, model=model, optimizer=optimizer)
    assert torch.equal(torch.rand(3), expected_draw), "the random state came back"
    assert position == Position(step=7, records=70, skipped=1)
    assert found == path
    assert checkpoint.verify(path).state["provenance"] == {"data": "d"}
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
    assert newest is not None
    assert newest.path == tmp_path / "step-100"


def test_what_a_crash_left_half_written_is_removed_and_not_read(tmp_path: Path) -> None:
    save(tmp_path, step=1)
    leftover = tmp_path / ".part-2"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    newest = checkpoint.newest(tmp_path)
    assert newest is not None
    assert newest.path == tmp_path / "step-1"
    saving.remove_leftovers(tmp_path)
    assert not leftover.exists()


def test_a_leftover_does_not_stand_in_the_way_of_the_same_step(tmp_path: Path) -> None:
    leftover = tmp_path / ".part-2"
    leftover.mkdir(parents=True)
    (leftover / "stray").write_bytes(b"half")
    path = save(tmp_path, step=2)
    assert "stray" not in checkpoint.verify(path).state["files"]
    assert not (path / "stray").exists()


def test_there_is_nothing_newest_in_an_empty_folder(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path / "checkpoints") is None


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.safetensors", "random.safetensors"]
)
def test_one_flipped_bit_is_noticed_and_the_file_is_named(tmp_path: Path, name: str) -> None:
    path = save(tmp_path)
    content = bytearray((path / name).read_bytes())
    content[-1] ^= 1
    (path / name).write_bytes(content)
    model, _ = trained()
    with pytest.raises(UserError, match=name) as complaint:
        load_weights(checkpoint.verify(path), model)
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
        load_weights(checkpoint.verify(path), nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(4)))
    with pytest.raises(UserError, match=r"2 tensors .*'1\.bias'"):
        load_weights(checkpoint.verify(path), nn.Sequential(nn.Linear(3, 4)))


def test_what_may_be_skipped_keeps_its_fresh_values_and_all_moments_begin_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path)
    saved, _ = trained()
    head = nn.Linear(4, 2)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), head)
    fresh = head.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    with pytest.raises(UserError, match=r"2 tensors .*'2\.bias' \(absent saved, 2 configured\)"):
        restore(tmp_path, model=model, optimizer=optimizer, skip=["0"])
    restore(tmp_path, model=model, optimizer=optimizer, skip=["2"])
    for name, value in saved.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert torch.equal(head.weight, fresh)
    assert not optimizer.state
    assert "2 tensors start fresh, first '2.bias'" in capsys.readouterr().out


def test_the_fingerprint_is_of_the_weights(tmp_path: Path) -> None:
    first, same, other = (
        checkpoint.verify(path).fingerprint
        for path in (
            save(tmp_path / "a", step=1),
            save(tmp_path / "b", step=2),
            save(tmp_path / "c", seed=5),
        )
    )
    assert same == first
    assert other != first


def test_the_best_is_kept_beside_the_newest(tmp_path: Path) -> None:
    model, optimizer = trained()
    snapshots = Snapshots(model, optimizer)
    for step in range(1, 6):
        position = Position(step=step, records=0, skipped=0, best=0.5, best_step=2)
        saving.write(tmp_path, snapshots.take(position, provenance={}), keep=2)
    assert checkpoint.steps_saved(tmp_path) == [2, 4, 5]
    newest = checkpoint.verify(tmp_path / "step-5")
    assert checkpoint.best(newest).path == tmp_path / "step-2"


class Bomb:
    """Would be noticed if it were ever unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("unpickled",)


def test_a_pickle_is_refused_and_never_unpickled(tmp_path: Path) -> None:
    path = save(tmp_path)
    torch.save({"weight": Bomb()}, path / "model.safetensors")
    state = read_json(path / "state.json")
    state["files"]["model.safetensors"] = hash_file(path / "model.safetensors")
    write_json(path / "state.json", state)
    model, _ = trained()
    with pytest.raises(UserError, match="not a safetensors file"):
        load_weights(checkpoint.verify(path), model)


def test_a_snapshot_is_of_its_moment_whatever_the_weights_do_next(tmp_path: Path) -> None:
    model, optimizer = trained()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    taken = Snapshots(model, optimizer).take(Position(step=1, records=0, skipped=0), provenance={})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    path = saving.write(tmp_path, taken, keep=1)
    torch.testing.assert_close(checkpoint.read(path, "model"), before, rtol=0, atol=0)
