"""What becomes of the files of a folder: gone, cut, of another kind, or holding something else."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinelex.core.files import hash_file

VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 2, 3, 7, 1.5, 1e30, -0.0, 2**53 + 1, 100_000, "", "word", "../up"),
    *("\0", "é狭", [], [1, 2], {}, {"a": 1}, "[UNK]", "bert", [[[]]], "x" * 9999),
)
UNREAD = (".html", ".png", ".svg", ".md", ".webp", ".csv")
"""Files that no command reads again."""


def damage(folder: Path, number: int) -> str:
    """Change one file of a folder, and say which and how."""
    draw = random.Random(number)  # noqa: S311
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix not in UNREAD]
    path = draw.choice(sorted(files))
    ways: list[Callable[[Path, random.Random], str]] = [_bytes]
    if path.suffix in (".json", ".yaml"):
        ways += [_value] * 4
    if path.suffix == ".safetensors":
        ways += [_tensor] * 3
    how = draw.choice(ways)(path, draw)
    if draw.random() < 0.5:
        how += _hashed_again(path)
    return f"{path.relative_to(folder)}: {how}"


def _hashed_again(path: Path) -> str:
    """Make a checkpoint's own hashes hold again, as if another version had written it."""
    state = path.parent / "state.json"
    if path == state or not (state.is_file() and path.is_file()):
        return ""
    found = json.loads(state.read_text())
    found["files"][path.name] = hash_file(path)
    state.write_text(json.dumps(found))
    return ", hashed again"


def _bytes(path: Path, draw: random.Random) -> str:
    data = path.read_bytes()
    way = draw.randrange(10)
    place = draw.randrange(min(len(data), 1024) + 1)
    noise = draw.randbytes(draw.randrange(1, 9))
    changed = {
        1: b"",
        2: data[: draw.randrange(len(data) + 1)],
        3: data[:place] + noise + data[place + len(noise) :],
        4: data[:place] + data[place + draw.randrange(1, 64) :],
        5: data + noise,
        6: b"\xff\xfe" + data.decode(errors="replace").encode("utf-16-le"),
        7: b"[" * 100_000,
        8: b"\xff" * 8 + data[8:],
    }
    path.unlink()
    if way in changed:
        path.write_bytes(changed[way])
    elif way == 9 and draw.random() < 0.5:
        path.mkdir()
    elif way == 9:
        os.symlink(path.name, path)
    return f"bytes {way}"


def _value(path: Path, draw: random.Random) -> str:
    reads = json.loads if path.suffix == ".json" else yaml.safe_load
    try:
        content = reads(path.read_text(encoding="utf-8"))
    except ValueError:
        return _bytes(path, draw)
    at, place = [content], 0
    names = []
    while isinstance(at[place], dict | list) and at[place]:
        at = at[place]
        place = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
        names.append(str(place))
        if draw.random() < 0.3:
            break
    value = draw.choice(VALUES)
    old = at[place]
    if isinstance(old, int) and not isinstance(old, bool) and draw.random() < 0.5:
        value = draw.choice((old + 1, old - 1, 2 * old, old // 2, 10 * old))
    if draw.random() < 0.25 and names:
        del at[place]
        value = "gone"
    else:
        at[place] = value
    if not names:
        content = value
    text = json.dumps(content) if path.suffix == ".json" else yaml.safe_dump(content)
    path.write_text(text, encoding="utf-8")
    return f"{'.'.join(names)[:80]} = {str(value)[:20]!r}"


def _tensor(path: Path, draw: random.Random) -> str:
    tensors: dict[str, Tensor] = load_file(path)
    if not tensors:
        return _bytes(path, draw)
    name = draw.choice(sorted(tensors))
    old = tensors[name]
    made: dict[str, Tensor | None] = {
        "gone": None,
        "half": old[: len(old) // 2].clone() if old.ndim else None,
        "flat": old.flatten().clone(),
        "turned": old.unsqueeze(0).clone(),
        "empty": torch.empty(0),
        "number": torch.tensor(1.0),
        "bf16": old.to(torch.bfloat16),
        "int": old.to(torch.int64),
        "bool": old.to(torch.bool),
        "nan": torch.full_like(old, float("nan")) if old.is_floating_point() else None,
        "inf": torch.full_like(old, float("inf")) if old.is_floating_point() else None,
        "large": torch.full_like(old, 1e38) if old.dtype == torch.float32 else None,
    }
    way = draw.choice(sorted(made))
    del tensors[name]
    value = made[way]
    if value is not None:
        tensors[name] = value
    elif draw.random() < 0.5:
        tensors[name + "_of_another"] = old
    save_file(tensors, path)
    return f"{name} {way}"


def copied_anew(source: Path, target: Path) -> None:
    """Copy a folder in place of whatever stands there; its files stay what they are."""
    rmtree(target, ignore_errors=True)
    for path in source.rglob("*"):
        if path.is_file():
            there = target / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
