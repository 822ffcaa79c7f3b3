"""A model of OpenCLIP by name, by folder, or as a run kept it."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cinelex.core.errors import UserError, refusing

CONFIG = "open_clip_config.json"
"""What a folder of OpenCLIP says of its model."""


def load_open_clip(name: str, pretrained: bool | str) -> Any:
    """Return an OpenCLIP model whose towers stand apart.

    Args:
        name: A name that ``open_clip.list_models`` knows, or a folder with open_clip_config.json.
        pretrained: False for random weights; of a folder true for its own; else a tag that
            ``open_clip.list_pretrained`` knows, or the path of a weights file.

    Raises:
        UserError: The model or its weights are not to be had; says which file to place.
    """
    import open_clip  # here, because it takes seconds

    folder = Path(name).is_dir()
    if not folder and name not in open_clip.list_models():
        raise UserError(f"open_clip has no model {name!r}; see open_clip.list_models()")
    path = isinstance(pretrained, str) and pretrained.startswith((".", "/"))
    if path and not Path(str(pretrained)).is_file():
        raise UserError(f"no weights at {pretrained}; place the file there")
    if pretrained is True and not folder:
        raise UserError(f"pretrained of {name} must be a tag or the path of its weights")
    absent = f"the weights {pretrained!r} of {name} cannot be obtained"
    with refusing(absent, remedy=_remedy(folder)):
        return open_clip.create_model(
            f"local-dir:{name}" if folder else name,
            pretrained=pretrained if isinstance(pretrained, str) else None,
            load_weights=pretrained is not False,
            force_custom_text=True,
            pretrained_text=False,
        )


def _remedy(folder: bool) -> str:
    """Return what to do where a model does not load."""
    if folder:
        return f"copy its {CONFIG} and open_clip_model.safetensors there again"
    return "download them on a machine with a network, and set pretrained to the file's path"


def open_clip_model(
    name: str, pretrained: bool | str, kept: Mapping[str, Any] | None
) -> tuple[Any, dict[str, Any]]:
    """Return a model from its source, or as a run kept it, and what a run is to keep."""
    config = Path(name) / CONFIG
    if kept is None:
        model = load_open_clip(name, pretrained)
        return model, {"config": json.loads(config.read_bytes())} if config.is_file() else {}
    if "config" not in kept:
        return load_open_clip(name, False), dict(kept)
    with TemporaryDirectory() as folder:
        (Path(folder) / CONFIG).write_text(json.dumps(kept["config"]))
        return load_open_clip(folder, False), dict(kept)
