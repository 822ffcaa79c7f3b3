"""Pretrained towers alone, as their own libraries load them."""

from pathlib import Path
from typing import Any

from cinelex.core.tensors import save_tensors
from cinelex.models.foreign import plain_state
from cinelex.models.study_model import StudyModel
from cinelex.models.video_text import VideoText

WEIGHTS = "model.safetensors"


def write_towers(model: StudyModel, folder: Path) -> dict[str, str]:
    """Write each tower that a library made as that library's checkpoint.

    Adapters are merged by then. Returns by tower's name the line of code that loads it; a tower
    that was built here is no other library's, and is left out.
    """
    towers: dict[str, Any] = {"text": model.text_encoder}
    if isinstance(model, VideoText):
        towers["video"] = model.video_encoder
    written = {}
    for name, tower in sorted(towers.items()):
        trunk = tower.get_submodule(tower.trunk) if tower.trunk else None
        line = None if trunk is None else _write(trunk, folder / name)
        if line is not None:
            written[name] = line.format(folder=f"{folder.name}/{name}")
    return written


def _write(trunk: Any, folder: Path) -> str | None:
    tensors = {name: value.contiguous().clone() for name, value in plain_state(trunk).items()}
    if hasattr(trunk, "save_pretrained"):
        trunk.save_pretrained(folder, state_dict=tensors)
        return f'transformers.{type(trunk).__name__}.from_pretrained("{{folder}}")'
    said = getattr(trunk, "pretrained_cfg", None)
    if not said:
        return None
    # here, because only these towers need it
    from timm.models import save_for_hf

    save_for_hf(trunk, str(folder), safe_serialization=True)
    save_tensors(tensors, folder / WEIGHTS, metadata={"format": "pt"})  # under timm's own names
    return 'timm.create_model("local-dir:{folder}", pretrained=True)'
