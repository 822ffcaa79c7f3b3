"""Pretrained models of transformers, from a folder, the hub's cache or the hub."""

import json
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError
from torch import nn

from cinelex.core.errors import UNFIT, UserError


def load_pretrained(kind: Any, source: str, **changes: Any) -> nn.Module:
    """Return a pretrained model, without dropout, whose every tensor came from the source.

    Args:
        kind: A class of transformers with ``from_pretrained``.
        source: A local folder with ``config.json`` and ``model.safetensors``, or a hub name.
        changes: Fields of its config to set.

    Raises:
        UserError: The model cannot be had, does not fit, or lacks tensors.
    """
    # Here, because it takes seconds.
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(source)
        for name, value in config.to_dict().items():
            if "drop" in name and isinstance(value, float):
                changes.setdefault(name, 0.0)
        for name, value in changes.items():
            setattr(config, name, value)
        model, report = kind.from_pretrained(source, config=config, output_loading_info=True)
    except (*UNFIT, SafetensorError, StrictDataclassError) as error:
        raise UserError(
            f"{source} is not to be had or does not fit ({type(error).__name__}); copy its "
            "config.json and model.safetensors into a folder, and give that folder's path"
        ) from error
    # Masked-language checkpoints come without a pooler, which nobody reads here.
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler"))
    if missing:
        raise UserError(f"{source} lacks {missing[0]}; it belongs to another kind of model")
    loaded: nn.Module = model
    return loaded


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


def pixel_statistics(source: str) -> tuple[list[float], list[float]]:
    """Return mean and deviation of each channel, of levels in [0, 1], that a model was trained on.

    Args:
        source: A local folder with ``preprocessor_config.json``, or a hub name.

    Raises:
        UserError: Nothing says how its pixels are to be normalised.
    """
    from transformers.image_processing_base import ImageProcessingMixin

    try:
        settings, _ = ImageProcessingMixin.get_image_processor_dict(source)
        return settings["image_mean"], settings["image_std"]
    except (*UNFIT, SafetensorError) as error:
        raise UserError(
            f"{source} does not say how its pixels are normalised; copy its "
            "preprocessor_config.json, with image_mean and image_std, to its config.json"
        ) from error
