"""Low-rank adapters on the linear layers of a tower, and their way back into its weights."""

import re
from dataclasses import dataclass

from torch import nn

from cinelex.core.errors import UserError, refusing
from cinelex.models.contracts import TextEncoder, VideoEncoder
from cinelex.models.trunks import part_of


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """What is added to a tower: W x becomes W x + (alpha / rank) B A x, where W stays as it is.

    Source: Hu et al. 2021, LoRA, arXiv:2106.09685; the layers are those of peft.
    """

    rank: int
    """Rows of A."""
    alpha: int
    """Times 1 / rank, the weight of what is added."""
    targets: str | None = None
    """Regular expression for the whole name, inside the pretrained part, of layers that get one;
    None chooses."""


def add_adapters(tower: VideoEncoder | TextEncoder, adapters: Adapters) -> list[str]:
    """Freeze the pretrained part of a tower, give layers of it an adapter, and return their names.

    A tower that is fresh as a whole gets them as a whole. An adapter begins at zero, so that the
    tower begins as it was.

    Raises:
        UserError: No layer has such a name, or one cannot be adapted.
    """
    # Here, because it takes seconds.
    from peft import LoraConfig, inject_adapter_in_model

    part = part_of(tower)
    names = _chosen(part, adapters.targets)
    part.requires_grad_(False)
    config = LoraConfig(
        r=adapters.rank,
        lora_alpha=adapters.alpha,
        target_modules="|".join(re.escape(name) for name in names),
        bias="none",
    )
    with refusing("targets: a layer that they name cannot be adapted"):
        inject_adapter_in_model(config, part)
    return names


def merge_adapters(model: nn.Module) -> int:
    """Add every adapter to the weights that it stands beside, and return how many there were.

    What the model computes stays the same to rounding; names are those of a model without any.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    merged = 0
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BaseTunerLayer):
                child.merge(safe_merge=True)
                setattr(parent, name, child.get_base_layer())
                merged += 1
    return merged


def _chosen(part: nn.Module, targets: str | None) -> list[str]:
    """Return the layers that get an adapter.

    Unless they are named these are the linear layers in blocks, of attention and feed-forward
    alike; of a convolutional net the convolutions of one pixel, which mix its channels.

    Raises:
        UserError: There are none.
    """
    if targets is not None:
        try:
            named = [n for n, _ in part.named_modules() if re.fullmatch(targets, n)]
        except re.error as problem:
            raise UserError(f"targets: not a regular expression ({problem})") from None
        if not named:
            kinds = (nn.Linear, nn.Conv2d)
            there = ", ".join([n for n, m in part.named_modules() if isinstance(m, kinds)][:6])
            raise UserError(f"targets: no layer matches; there are {there} and others")
        return named
    # the layer inside torch's own attention is read and never called
    unread = nn.modules.linear.NonDynamicallyQuantizableLinear
    linear = [
        name
        for name, layer in part.named_modules()
        if isinstance(layer, nn.Linear)
        and not isinstance(layer, unread)
        and layer.weight.requires_grad
        and re.search(r"(^|\.)\d+(\.|$)", name)
    ]
    pointwise = [
        name
        for name, layer in part.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Conv3d)
        and layer.groups == 1
        and set(layer.kernel_size) == {1}
    ]
    if not linear and not pointwise:
        raise UserError("no layer of this model gets an adapter by default; name some in targets")
    return linear or pointwise
