"""What is known of how a clip was filmed, given to its tokens."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.errors import UserError


@dataclass(frozen=True)
class Shown:
    """How the clips of a batch were filmed."""

    views: Int[Tensor, " clip"] | None
    """Numbers of views, 0 where unknown; None where nobody names any."""
    angles: Float[Tensor, "clip two"] | None
    """Primary and secondary angle in degrees, NaN where unknown; None where nobody knows any."""


class ViewEmbedding(nn.Module):
    """One vector for each view, and a linear map of the angles; of what is unknown, zeros.

    Angles are given by sine and cosine, so that 180 and -180 degrees are the same.
    """

    def __init__(self, *, width: int, views: int, angles: bool) -> None:
        """Begin at zeros, so that a fresh model sees as much as one without.

        Args:
            width: Embedding dimension of a token.
            views: Views that have a vector, numbered from 1; 0 for none.
            angles: Whether angles are read.
        """
        super().__init__()
        self.views = nn.Embedding(views + 1, width, padding_idx=0) if views else None
        # no bias: what is unknown must add nothing
        self.angles = nn.Linear(4, width, bias=False) if angles else None
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, shown: Shown) -> Float[Tensor, "clip width"] | float:
        """Return what is added to each token of each clip."""
        added: Float[Tensor, "clip width"] | float = 0.0
        if self.views is not None and shown.views is not None:
            added = added + self.views(shown.views)
        if self.angles is not None and shown.angles is not None:
            known = shown.angles.isfinite()
            radians = torch.deg2rad(shown.angles.nan_to_num())
            circle = torch.cat([radians.sin() * known, radians.cos() * known], dim=1)
            added = added + self.angles(circle)
        return added


def embedding_of(width: int, views: int, angles: bool) -> ViewEmbedding | None:
    """Return a table of views, or None where neither views nor angles are asked for."""
    return ViewEmbedding(width=width, views=views, angles=angles) if views or angles else None


def see_views(
    tokens: Float[Tensor, "clip token width"],
    embedding: ViewEmbedding | None,
    shown: Shown | None,
) -> Float[Tensor, "clip token width"]:
    """Return the tokens with what is known of their views; as they are where nothing is."""
    if embedding is None or shown is None:
        return tokens
    added = embedding(shown)
    return tokens + (added[:, None] if isinstance(added, Tensor) else added)


def check_views(views: int, named: int, *, key: str, asked_by: str = "") -> None:
    """Refuse a number of views that the data do not fit.

    Args:
        views: Views that there is room for; 0 where none is asked for.
        named: Views that the training videos name.
        key: Of the config, that says how many there is room for.
        asked_by: The key that is 0 where no view is wanted, if another.

    Raises:
        UserError: Names the key.
    """
    if views and not named:
        raise UserError(
            f"{asked_by or key}: no training video names a view; name the column in "
            "data.columns.view, or set 0"
        )
    if 0 < views < named:
        raise UserError(
            f"{key}: {named} views occur in training and there is room for {views}; set "
            f"{key}={named}"
        )
