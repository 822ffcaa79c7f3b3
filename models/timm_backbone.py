"""An image backbone of timm, with random weights, timm's own, or those of a file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError, refusing
from cinelex.models.arrival import COUNTER, Arrival, KeyMap, arrive, checksums, fits_by_order
from cinelex.models.foreign import read_weights


def build_backbone(
    name: str, pretrained: bool | str, *, size: int, key_map: KeyMap | None = None
) -> tuple[nn.Module, Arrival | None]:
    """Return an image backbone without its classifier, and what arrived in it.

    Args:
        name: A name that ``timm.list_models`` knows, with or without the tag of its weights.
        pretrained: False for random weights, true for timm's own, or the path of a file.
        size: Rows, and columns, of a frame.
        key_map: How the names of the file become timm's.

    Raises:
        UserError: An unknown backbone, or weights that cannot be had or do not fit.
    """
    # Here, because it takes seconds and only this encoder needs it.
    import timm

    config = _known(name)
    options: dict[str, Any] = {"num_classes": 0}
    if config is not None and config.fixed_input_size:
        options["img_size"] = size
    if isinstance(pretrained, str):
        return _from_file(name, Path(pretrained), options, key_map)
    if not pretrained:
        return _blank(name, options), None
    try:
        backbone: nn.Module = timm.create_model(name, pretrained=True, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"the weights of {name} cannot be obtained ({type(error).__name__}); download "
            f"{getattr(config, 'hf_hub_id', None) or name} (model.safetensors) on a machine with "
            "a network, and set pretrained to the path of that file"
        ) from error
    own = backbone.state_dict()
    pairs = [(n, n) for n in own]
    return backbone, Arrival(source=f"timm's {name}", pairs=pairs, checksums=checksums(own))


def features_of(backbone: nn.Module, name: str, *, size: int) -> int:
    """Return how many features a frame has, by looking at one.

    Raises:
        UserError: The backbone cannot read frames of this size, or makes no row of them.
    """
    training = backbone.training
    with torch.no_grad(), refusing(f"the backbone {name} cannot read frames of {size} pixels"):
        row: Tensor = backbone.eval()(torch.zeros(1, 3, size, size))
    backbone.train(training)
    if row.ndim != 2:
        raise UserError(f"the backbone {name} does not give one vector per frame; choose another")
    return row.shape[1]


def _known(name: str) -> Any:
    """Return what timm knows of the weights of a backbone; None where it knows of none.

    Raises:
        UserError: There is no such backbone, or it has no such weights.
    """
    import timm

    base = name.partition(".")[0]
    if not timm.is_model(base):
        near = difflib.get_close_matches(base, timm.list_models(), n=3)
        raise UserError(f"timm has no backbone {name!r}; the nearest names are {near}")
    tags = timm.list_models(base, pretrained=True)
    if "." in name and name not in tags:
        raise UserError(f"timm has no weights {name!r}; there are {', '.join(tags) or 'none'}")
    return timm.get_pretrained_cfg(name)


def _blank(name: str, options: Mapping[str, Any]) -> nn.Module:
    import timm

    size = options.get("img_size")
    frames = "" if size is None else f" for frames of {size} pixels"
    with refusing(f"the backbone {name} cannot be built{frames}"):
        blank: nn.Module = timm.create_model(name, **options)
    return blank


def _from_file(
    name: str, path: Path, options: Mapping[str, Any], key_map: KeyMap | None
) -> tuple[nn.Module, Arrival]:
    """Return the backbone with the weights of a file, and make sure that all came from there."""
    weights = read_weights(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        blank = _blank(name, options)
    own = {n: value for n, value in blank.state_dict().items() if not n.endswith(COUNTER)}
    fits = all(n in weights and weights[n].shape == own[n].shape for n in own)
    if fits or key_map is not None or fits_by_order(weights, own):
        return blank, arrive(blank, weights, source=str(path), key_map=key_map)
    return _fitted(name, path, weights, options, own)


def _fitted(
    name: str,
    path: Path,
    weights: Mapping[str, Tensor],
    options: Mapping[str, Any],
    own: Mapping[str, Tensor],
) -> tuple[nn.Module, Arrival]:
    """Let timm fit weights of another size, or of another library's names, as far as it can.

    It is silent about those that it did not find: they are as a blank backbone has them.
    """
    import timm

    overlay = {"state_dict": dict(weights), "hf_hub_id": None, "custom_load": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            backbone: nn.Module = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, **options
            )
        except (RuntimeError, KeyError) as error:
            raise UserError(
                f"{path} does not fit the backbone {name}; choose its own, or map the names of the "
                "file with the option key_map: {pattern: replacement}"
            ) from error
    found = backbone.state_dict()
    untouched = [n for n in own if own[n].ndim > 1 and torch.equal(found[n], own[n])]
    if untouched:
        raise UserError(
            f"{path} sets no {untouched[0]} of the backbone {name}; choose its own, or map the "
            "names of the file with the option key_map: {pattern: replacement}"
        )
    resized = {
        n: f"from {list(weights[n].shape)} to {list(own[n].shape)}"
        for n in own
        if n in weights and weights[n].shape != own[n].shape
    }
    unused = [n for n in weights if n not in own and not n.endswith(COUNTER)]
    renamed = any(n not in weights for n in own)
    return backbone, Arrival(
        source=f"{path}, fitted by timm",
        pairs=[(n, n) for n in own],
        unused=[] if renamed else unused,
        interpolated=resized,
        checksums=checksums(backbone.state_dict()),
    )
