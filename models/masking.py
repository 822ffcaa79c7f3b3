"""Which tubelets of a clip are hidden from the encoder."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.models.contracts import VideoEncoder
from cinelex.models.shapes import Keep


def tube_mask(
    noise: Float[Tensor, "clip position"], *, grid: tuple[int, int, int], ratio: float
) -> tuple[Keep, Int[Tensor, "clip hidden"]]:
    """Hide the same positions in all frames: what is hidden cannot be copied from the next frame.

    Source: Tong et al. 2022, VideoMAE, arXiv:2203.12602, section 3.3 (tube masking).

    Args:
        noise: One number for each position (row, column) of each clip; the lowest are hidden.
        grid: Tokens along frames, rows and columns.
        ratio: Share of the positions to hide, between 0 and 1, rounded to whole positions.

    Returns:
        The tokens to keep and the tokens to hide, as indices in t·y·x, in ascending order.

    Raises:
        UserError: Nothing or everything would be hidden.
    """
    frames, positions = grid[0], grid[1] * grid[2]
    assert noise.shape[1] == positions
    hidden = round(ratio * positions)
    if not 0 < hidden < positions:
        raise UserError(
            f"a mask ratio of {ratio} hides {hidden} of {positions} positions; one must be hidden "
            "and one must stay: change the ratio or use smaller tubelets"
        )
    order = noise.argsort(dim=1, stable=True)
    hide, keep = order[:, :hidden].sort(dim=1).values, order[:, hidden:].sort(dim=1).values
    start = torch.arange(frames, device=noise.device)[:, None] * positions
    return (
        (start + keep[:, None]).flatten(1),
        (start + hide[:, None]).flatten(1),
    )


def refuse_masking(encoder: VideoEncoder) -> None:
    """Refuse an encoder behind which nothing can be masked.

    Raises:
        ValueError: It cannot drop tokens.
    """
    if not encoder.drops_tokens:
        raise ValueError(
            f"{type(encoder).__name__} cannot drop tokens, so nothing can be masked; "
            "choose another video encoder or switch masked modelling off"
        )
