"""Pretrained models of transformers, from a folder, the hub's cache or the hub."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from cinelex.core.errors import UserError, refusing
from cinelex.models.arrival import Arrival, checksums
from cinelex.models.foreign import read_weights

Tower = Literal["vision", "text"]
"""One of the two towers of a model such as CLIP; of a model of one tower that one."""


def load_pretrained(
    kind: Any, source: str, *, tower: Tower = "text", may_lack: str = "pooler", **changes: Any
) -> tuple[nn.Module, Arrival]:
    """Return a pretrained model, without dropout, whose every tensor came from the source.

    Args:
        kind: A class of transformers with ``from_pretrained``.
        source: A local folder with ``config.json`` and ``model.safetensors``, or a hub name.
        tower: Which one of a model of two.
        may_lack: What the names of tensors begin with that nobody reads, so that the source may
            lack them: masked-language checkpoints come without a pooler.
        changes: Fields of its config to set.

    Raises:
        UserError: The model cannot be had, does not fit, or lacks tensors.
    """
    config = read_config(source, tower)
    with _fitting(source):
        for name, value in config.to_dict().items():
            if "drop" in name and isinstance(value, float):
                changes.setdefault(name, 0.0)
        for name, value in changes.items():
            setattr(config, name, value)
        with _silence():
            model, report = kind.from_pretrained(source, config=config, output_loading_info=True)
    missing = sorted(
        n for n in report["missing_keys"] if not may_lack or not n.startswith(may_lack)
    )
    if missing:
        raise UserError(f"{source} lacks {missing[0]}; it belongs to another kind of model")
    loaded: nn.Module = model
    lacking = set(report["missing_keys"])
    state = loaded.state_dict()
    return loaded, Arrival(
        source=source,
        pairs=[(name, name) for name in state if name not in lacking],
        unused=sorted(report["unexpected_keys"]),
        checksums=checksums(state),
    )


def read_config(source: str, tower: Tower) -> Any:
    """Return the config of a model, or of one tower of a model of two.

    Raises:
        UserError: There is none, or it is no config.
    """
    from transformers import AutoConfig

    with _fitting(source):
        config = AutoConfig.from_pretrained(source)
    both = {"vision": "vision_config", "text": "text_config"}
    if all(hasattr(config, name) for name in both.values()):
        return getattr(config, both[tower])
    return config


def regridded(arrival: Arrival, source: str, **clip: int) -> Arrival:
    """Add what positions were computed anew for, where clips are not of the source's own size.

    Args:
        arrival: What arrived.
        source: Where from.
        clip: What the model was told instead, by the names of its config.
    """
    own = read_config(source, "vision")
    changed = {n: v for n, v in clip.items() if getattr(own, n, v) not in (v, [v, v], (v, v))}
    if not changed:
        return arrival
    way = ", ".join(f"{n} {getattr(own, n)} to {v}" for n, v in changed.items())
    return replace(arrival, interpolated={"positions": f"from {way}"})


def read_tensor(source: str, name: str) -> Tensor:
    """Return one tensor of a source, such as the matrix behind a tower.

    Raises:
        UserError: The source has none of that name.
    """
    from transformers.utils.hub import cached_file

    with refusing(f"{source} has no model.safetensors", remedy="save it anew with it"):
        path = cached_file(source, "model.safetensors")
    weights = read_weights(Path(str(path)))
    if name not in weights:
        raise UserError(
            f"{source} has no {name}, so the embedding cannot arrive; set output to tokens"
        )
    return weights[name]


def described(model: Any) -> dict[str, Any]:
    """Return the config of a pretrained model as JSON."""
    found: dict[str, Any] = json.loads(model.config.to_json_string(use_diff=False))
    return found


def rebuilt(kind: Any, config: Mapping[str, Any]) -> nn.Module:
    """Return a model of a config that `described` returned, with random weights."""
    from transformers import AutoConfig

    options = dict(config)
    found = AutoConfig.for_model(options.pop("model_type"), **options)
    model: nn.Module = kind.from_config(found) if hasattr(kind, "from_config") else kind(found)
    return model


def pixel_statistics(source: str) -> tuple[list[float], list[float]] | None:
    """Return mean and deviation of each channel, of levels in [0, 1], that a model was trained on.

    Args:
        source: A local folder with ``preprocessor_config.json`` or ``video_preprocessor_config
            .json``, or a hub name.

    Returns:
        None where nothing says how its pixels are to be normalised.
    """
    from transformers.image_processing_base import ImageProcessingMixin
    from transformers.video_processing_utils import BaseVideoProcessor

    for read in (
        BaseVideoProcessor.get_video_processor_dict,
        ImageProcessingMixin.get_image_processor_dict,
    ):
        with suppress(UserError), refusing("the processor's settings cannot be read"):
            settings, _ = read(source)
            return _in_levels(settings)
    return None


def _in_levels(settings: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Return a processor's mean and deviation for levels in [0, 1], whatever it multiplies by."""
    factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
    unit = 255 * factor
    if not settings.get("do_normalize", True):
        return [0.0], [1 / unit]
    mean, std = ([v / unit for v in settings[key]] for key in ("image_mean", "image_std"))
    given = [*settings["image_mean"], *settings["image_std"]]
    plain = all(type(v) in (int, float) and math.isfinite(v) for v in given)
    if not plain or not mean or len(mean) != len(std) or min(std) <= 0:
        raise UserError("image_mean and image_std: expected a level per channel")
    return mean, std


def _fitting(source: str) -> refusing:
    """Refuse a source by which a model cannot be made."""
    return refusing(
        f"{source} cannot be obtained or does not fit",
        remedy="copy its config.json and model.safetensors into a folder, and give that folder's "
        "path",
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's bars and tables off the terminal; what arrived is said by the run."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
