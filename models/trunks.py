"""The pretrained parts of a model: which they are, and what of them is frozen."""

from collections.abc import Iterator
from typing import Literal

from torch import nn

from cinelex.models.contracts import TextEncoder, VideoEncoder
from cinelex.models.freeze import freeze_share

Frozen = float | Literal["none", "all"]
"""Nothing, everything, or a share of the numbers, from the input side on."""
UNTRAINED = "companions."
"""Where what travels with a model stands, such as a teacher."""
ADAPTER = "lora_"
"""What the names of adapters have in them, which are fresh wherever they are."""


def trunks(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield name and module of each pretrained part of what is trained."""
    for name, part in model.named_modules():
        if name.startswith(UNTRAINED):
            continue
        if isinstance(part, VideoEncoder | TextEncoder) and part.trunk:
            yield f"{name}.{part.trunk}".lstrip("."), part.get_submodule(part.trunk)


def pretrained_names(model: nn.Module) -> set[str]:
    """Return the names of the parameters whose first values came from elsewhere."""
    return {
        f"{name}.{inner}"
        for name, trunk in trunks(model)
        for inner, _ in trunk.named_parameters()
        if ADAPTER not in inner
    }


def unchanging_names(model: nn.Module) -> set[str]:
    """Return the names of the pretrained tensors that training leaves as they are.

    Frozen parameters, and buffers: no statistics of pretrained parts are ever updated.
    """
    names = set()
    for name, trunk in trunks(model):
        trained = {inner for inner, weight in trunk.named_parameters() if weight.requires_grad}
        names |= {f"{name}.{inner}" for inner in trunk.state_dict() if inner not in trained}
    return names


def freeze(tower: VideoEncoder | TextEncoder, frozen: Frozen) -> float:
    """Freeze the pretrained part of a tower, and return the share of it that is frozen.

    Fresh layers behind it always train. A tower that is fresh as a whole is taken as a whole.

    Raises:
        UserError: The share is not between 0 and 1.
    """
    share = {"none": 0.0, "all": 1.0}.get(frozen, 0.0) if isinstance(frozen, str) else frozen
    return freeze_share(part_of(tower), share)


def part_of(tower: VideoEncoder | TextEncoder) -> nn.Module:
    """Return the pretrained part of a tower, or all of one that is fresh."""
    return tower.get_submodule(tower.trunk) if tower.trunk else tower
