"""A power cut after any call to the disk leaves a checkpoint that can be trusted.

The calls that a save makes are written down. Then, for every prefix of them, two disks are made:
one where everything reached the platter, and one where only what was synced did. A file whose
bytes were not synced is there with half of them; a name that was not synced is not there, or, where
it was taken away, still is.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cinelex.core import checkpoint
from cinelex.core.checkpoint import Position
from cinelex.runners import saving
from cinelex.runners.snapshot import Snapshots

Call = tuple[str, Path, Any]


@dataclass
class Recorder:
    """The calls of a save, in order."""

    root: Path
    calls: list[Call] = field(default_factory=list)

    def note(self, kind: str, path: Path, detail: Any = None) -> None:
        if path.is_relative_to(self.root):
            self.calls.append((kind, path.relative_to(self.root), detail))

    def listen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note each call after it was made, with what the file then holds."""
        real: dict[str, Callable[..., Any]] = {
            "save": vars(saving)["save_tensors"],
            "fsync": os.fsync,
            "rename": Path.rename,
            "replace": Path.replace,
            "rmtree": shutil.rmtree,
            "mkdir": Path.mkdir,
        }

        def save(tensors: Any, path: Path) -> None:
            real["save"](tensors, path)
            self.note("write", path, path.read_bytes())

        def fsync(descriptor: int) -> None:
            real["fsync"](descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_file() and path.name.endswith(".part"):
                self.note("write", path, path.read_bytes())
            self.note("sync", path)

        def rename(path: Path, target: Path) -> Path:
            real["rename"](path, target)
            self.note("rename", path, target.relative_to(self.root))
            return target

        def rmtree(path: Path, ignore_errors: bool = False) -> None:
            if path.exists():
                real["rmtree"](path)
                self.note("remove", path)

        def mkdir(path: Path, *arguments: Any, **options: Any) -> None:
            real["mkdir"](path, *arguments, **options)
            self.note("mkdir", path)

        monkeypatch.setitem(vars(saving), "save_tensors", save)
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "rename", rename)
        monkeypatch.setattr(Path, "replace", rename)
        monkeypatch.setattr(shutil, "rmtree", rmtree)
        monkeypatch.setattr(Path, "mkdir", mkdir)


def replay(calls: list[Call], root: Path, *, lazy: bool) -> None:
    """Make the disk after a power cut behind ``calls``; a lazy one kept only what was synced."""
    synced = {path for kind, path, _ in calls if kind == "sync"}
    for place, (kind, path, detail) in enumerate(calls):
        # a change of a folder's names is on a lazy disk if the folder is synced afterwards
        names_kept = not lazy or ("sync", path.parent, None) in calls[place:]
        if kind == "mkdir":
            (root / path).mkdir(parents=True, exist_ok=True)
        elif kind == "write":
            whole = not lazy or path in synced
            (root / path).write_bytes(detail if whole else detail[: len(detail) // 2])
        elif kind == "rename" and names_kept:
            (root / path).rename(root / detail)
        elif kind == "remove" and names_kept:
            shutil.rmtree(root / path)


def save(folder: Path, step: int) -> nn.Module:
    torch.manual_seed(step)
    model = nn.Linear(3, 4)
    optimizer = torch.optim.AdamW(model.parameters())
    position = Position(step=step, records=0, skipped=0)
    saving.write(folder, Snapshots(model, optimizer).take(position, provenance={}), keep=1)
    return model


@pytest.mark.parametrize("lazy", [False, True])
def test_after_every_call_the_old_or_the_new_checkpoint_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lazy: bool
) -> None:
    before, live = tmp_path / "before", tmp_path / "live"
    weights = {1: save(before, 1).state_dict()}
    shutil.copytree(before, live)
    recorder = Recorder(live)
    with monkeypatch.context() as patch:
        recorder.listen(patch)
        weights[2] = save(live, 2).state_dict()
    kinds = [kind for kind, _, _ in recorder.calls]
    assert kinds.count("write") == 4, "three files of tensors and state.json"
    assert kinds.count("rename") == 2
    assert kinds[-1] == "remove", "the old one goes last"
    found = []
    for end in range(len(recorder.calls) + 1):
        disk = tmp_path / f"disk-{end}"
        shutil.copytree(before, disk)
        replay(recorder.calls[:end], disk, lazy=lazy)
        newest = checkpoint.newest(disk)
        assert newest is not None, recorder.calls[:end]
        step = int(newest.path.name.removeprefix("step-"))
        torch.testing.assert_close(
            checkpoint.read(newest.path, "model"), dict(weights[step]), rtol=0, atol=0
        )
        saving.remove_leftovers(disk)
        assert not list(disk.glob(".part-*"))
        found.append(step)
    assert found == sorted(found)
    assert set(found) == {1, 2}
