"""What a run keeps of towers from elsewhere, so that its checkpoint is all that they need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from cinelex.core.checkpoint import steps_saved
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_json
from cinelex.models.clip_pooling import PositionPooling
from cinelex.models.contracts import TextEncoder, VideoEncoder
from cinelex.models.fact_heads import SideBySideFacts

FILE = "towers.json"

LARGE = 10_000_000
"""Parameters of a part from which its size is said."""
FRUGAL: Mapping[type[nn.Module], str] = {
    PositionPooling: "model.clip_pooling=mean",
    SideBySideFacts: "model.fact_heads.name=attention",
}

Towers = Mapping[str, Any]
"""By ``video`` and ``text``: what the tower's class takes as ``kept``."""


def keep_towers(folder: Path, module: nn.Module) -> None:
    """Write what the towers of a trained module are built from; nothing where they need nothing."""
    kept: dict[str, Any] = {}
    for part in module.modules():
        for name, kind in (("video", VideoEncoder), ("text", TextEncoder)):
            if isinstance(part, kind) and part.kept is not None:
                kept.setdefault(name, dict(part.kept))
    if kept:
        write_json(folder / FILE, kept)


def tower_lines(module: nn.Module) -> list[str]:
    """Return what is to be said of pretrained towers before the first step.

    Which tensors arrived in each, which layers are fresh, what of the file was not used, what was
    fitted to another grid, and which pixels it is given.
    """
    lines: list[str] = []
    for part in module.modules():
        for name, kind in (("video", VideoEncoder), ("text", TextEncoder)):
            if isinstance(part, kind) and (part.trunk or part.arrival is not None):
                lines += [f"{name} encoder: {line}" for line in _lines(part)]
    return lines


def grid_lines(module: nn.Module) -> list[str]:
    """Return what is to be said of parts that grow with the grid, where they are large."""
    lines = []
    for name, part in module.named_modules():
        size = sum(weight.numel() for weight in part.parameters())
        if isinstance(part, PositionPooling | SideBySideFacts) and size > LARGE:
            lines.append(
                f"{name}: {size / 1e6:.0f} million parameters, weights for each position of the "
                f"grid; {FRUGAL[type(part)]} has none"
            )
    return lines


def _lines(tower: VideoEncoder | TextEncoder) -> list[str]:
    arrived = "built as the run kept it; its weights are those of the checkpoint"
    said = [arrived] if tower.arrival is None else tower.arrival.lines()
    trunk = {id(weight) for weight in tower.get_submodule(tower.trunk).parameters()}
    fresh: dict[str, int] = {}
    for name, weight in tower.named_parameters():
        if id(weight) not in trunk:
            fresh[name.partition(".")[0]] = fresh.get(name.partition(".")[0], 0) + weight.numel()
    layers = ", ".join(f"{name} ({numbers:,} numbers)" for name, numbers in fresh.items())
    said.append(f"fresh layers: {layers or 'none'}")
    if isinstance(tower, VideoEncoder) and tower.pixels is not None:
        said.append(f"pixels: {tower.pixels.line()}")
    return said


def kept_towers(folder: Path, *, anew: Sequence[str] = ()) -> Towers:
    """Return what a run keeps of its towers, where a checkpoint has their tensors.

    Args:
        folder: The run's folder.
        anew: What of the checkpoint is not taken; where there is any, towers come from their
            source, for their first weights.

    Raises:
        UserError: The file is damaged.
    """
    return {} if anew or not steps_saved(folder / "checkpoints") else read_towers(folder)


def read_towers(folder: Path) -> Towers:
    """Return what `keep_towers` wrote; nothing where it wrote nothing.

    Raises:
        UserError: The file is damaged.
    """
    path = folder / FILE
    found = read_json(path) if path.exists() else {}
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise UserError(f"{path}: damaged; expected a mapping for each tower")
    return found
