"""From the tokens of a clip to one row."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.models.contracts import Aggregator
from cinelex.models.shapes import ClipTokens, Studies


class PositionPooling(nn.Module):
    """Read all tokens of a clip at once, each position with weights of its own.

    A mean forgets where a token was, and attention has to find out; where the same thing stands in
    the same position of every clip of a view, as in standardised views, weights by position learn
    from far fewer studies. The number of tokens is fixed.
    """

    def __init__(self, *, width: int, tokens: int, hidden: int) -> None:
        """Make the two layers.

        Args:
            width: Embedding dimension of a token, and of a clip.
            tokens: Tokens a clip.
            hidden: Numbers between the layers.
        """
        super().__init__()
        self.read = nn.Sequential(
            nn.Linear(tokens * width, hidden),
            nn.GELU(),
            nn.Linear(hidden, width),
            nn.LayerNorm(width),
        )

    def forward(self, tokens: ClipTokens) -> Float[Tensor, "clip width"]:
        """Return one row a clip."""
        return self.read(tokens.flatten(1))


class MeanPooling(nn.Module):
    """Average the tokens of a clip."""

    def forward(self, tokens: ClipTokens) -> Float[Tensor, "clip width"]:
        """Return one row a clip."""
        return tokens.mean(dim=1)


def of_all_tokens(
    aggregator: Aggregator,
    tokens: ClipTokens,
    owner: Int[Tensor, " clip"],
    *,
    studies: int,
    max_clips: int | None,
) -> Studies:
    """Return what an aggregator makes of studies that it sees token by token, not clip by clip."""
    among = tokens.shape[1]
    return aggregator(
        tokens.flatten(0, 1),
        owner.repeat_interleave(among),
        studies=studies,
        max_clips=None if max_clips is None else max_clips * among,
    )
