"""The pretrained parts of a trained model as files that other runs, and their libraries, read."""

from pathlib import Path
from typing import Any

from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.core.tensors import save_tensors
from cinelex.models.adapters import merge_adapters
from cinelex.models.contracts import TextEncoder, VideoEncoder
from cinelex.models.foreign import plain_state
from cinelex.models.study_model import StudyModel
from cinelex.models.trunks import trunks
from cinelex.projects.interface.project import Request

PROJECTIONS = {"video_encoder": "visual_projection", "text_encoder": "text_projection"}
"""What transformers calls the matrix behind a tower into the space of a pair."""


def merge(_project: Any, model: StudyModel, request: Request) -> Path:
    """Write each pretrained part, its adapters merged, below ``merged/`` in the run's folder.

    Raises:
        UserError: The model has no pretrained part.
    """
    merge_adapters(model)
    found = list(trunks(model))
    if not found:
        raise UserError("the model has no pretrained part, so there is nothing to merge")
    folder = request.folder / "merged"
    if is_main():
        for name, _ in found:
            tower: Any = model.get_submodule(name.partition(".")[0])
            _write(folder / name.partition(".")[0], name.partition(".")[0], tower)
    return folder


def _write(folder: Path, name: str, tower: VideoEncoder | TextEncoder) -> None:
    """Write one part as its own library names it; for transformers, with its config beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        own.replace("embedding.weight", f"{PROJECTIONS[name]}.weight")
        if own == "embedding.weight"
        else own: value.contiguous().clone()
        for own, value in plain_state(tower.get_submodule(tower.trunk)).items()
    }
    save_tensors(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    if tower.kept and "config" in tower.kept:
        write_json(folder / "config.json", tower.kept["config"])
    if isinstance(tower, VideoEncoder) and tower.pixels is not None:
        pixels = {"image_mean": tower.pixels.mean, "image_std": tower.pixels.std}
        write_json(folder / "preprocessor_config.json", pixels)
