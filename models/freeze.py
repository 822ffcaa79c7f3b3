"""Freeze the part of a model that is closest to its input."""

from torch import nn

from cinelex.core.errors import UserError


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
