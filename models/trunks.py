"""The pretrained parts of a model: which they are, and what of them is frozen."""

from collections.abc import Iterator
from typing import Literal

from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.contracts import TextEncoder, VideoEncoder

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


def freeze_share(module: nn.Module, share: float) -> float:
    """Freeze whole tensors from the input side on, and return the share that is frozen.

    The share counts PARAMETERS (numbers, not layers), in the order in which the module defines
    them. A tensor that would exceed the share stays trainable, and so does all that follows.

    Args:
        module: Its parameters must be defined from input to output, as every encoder here does.
        share: 0 freezes nothing, 1 everything.

    Raises:
        UserError: The share is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise UserError(f"the frozen share must be between 0 and 1, got {share}")
    parameters = list(module.parameters())
    total = sum(parameter.numel() for parameter in parameters)
    frozen = 0
    for parameter in parameters:
        if frozen + parameter.numel() > share * total:
            break
        parameter.requires_grad_(False)
        frozen += parameter.numel()
    return frozen / total if total else 0.0


def part_of(tower: VideoEncoder | TextEncoder) -> nn.Module:
    """Return the pretrained part of a tower, or all of one that is fresh."""
    return tower.get_submodule(tower.trunk) if tower.trunk else tower
