"""Heads that answer, from the tokens of a study's clips, what its report states."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cinelex.models.contracts import FactHeads


class SideBySideFacts(FactHeads):
    """Read the first clips of a study side by side, each position of each with weights of its own.

    For standard views, where the n-th clip of every study is the same view and a segment always
    lies at about the same positions. Further clips are not read; one that is missing reads as 0.
    """

    def __init__(
        self, *, width: int, tokens: int, facts: int, clips: int = 3, hidden: int = 0
    ) -> None:
        """Make one matrix, or two layers.

        Args:
            width: Embedding dimension of a token.
            tokens: Tokens a clip.
            facts: Numbers that are asked for.
            clips: Clips that are read.
            hidden: Numbers between two layers; 0 makes one matrix.
        """
        super().__init__()
        self.clips = clips
        size = clips * tokens * width
        self.read: nn.Module = (
            nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, facts))
            if hidden
            else nn.Linear(size, facts)
        )

    def forward(
        self,
        tokens: Float[Tensor, "study clip token width"],
        attention_mask: Bool[Tensor, "study clip"],
    ) -> Float[Tensor, "study fact"]:
        """Return one standardised number a fact; absent clips are 0 in ``tokens``."""
        taken = tokens[:, : self.clips]
        missing = self.clips - taken.shape[1]
        if missing:
            shape = (len(taken), missing, *taken.shape[2:])
            taken = torch.cat([taken, taken.new_zeros(shape)], dim=1)
        return self.read(taken.flatten(1))


class AttentionFacts(FactHeads):
    """Read each clip by position, and let each fact choose among the clips.

    For studies of any views in any order: a clip says what it sees of a fact and how much that is
    to be trusted, and the facts of a study are means by that trust.

    Source: Ilse et al. 2018, arXiv:1802.04712, equation 8, with weights for each output.
    """

    def __init__(self, *, width: int, tokens: int, facts: int, hidden: int = 256) -> None:
        """Make the reader, the values and the scores.

        Args:
            width: Embedding dimension of a token.
            tokens: Tokens a clip.
            facts: Numbers that are asked for.
            hidden: What a clip is read into.
        """
        super().__init__()
        self.read = nn.Sequential(nn.Linear(tokens * width, hidden), nn.GELU())
        self.value = nn.Linear(hidden, facts)
        # no bias: the softmax would cancel it
        self.score = nn.Linear(hidden, facts, bias=False)

    def forward(
        self,
        tokens: Float[Tensor, "study clip token width"],
        attention_mask: Bool[Tensor, "study clip"],
    ) -> Float[Tensor, "study fact"]:
        """Return one standardised number a fact."""
        seen = self.read(tokens.flatten(2))
        score = self.score(seen).float().masked_fill(~attention_mask[..., None], -torch.inf)
        return (score.softmax(dim=1).to(seen.dtype) * self.value(seen)).sum(dim=1)


class FactRows(nn.Module):
    """Rows that show a caption decoder what the heads found: one a fact, moved by its number."""

    def __init__(self, *, facts: int, width: int) -> None:
        """Make what names each fact, and the direction that its number moves it in.

        Args:
            facts: Numbers that are found.
            width: Embedding dimension of a row.
        """
        super().__init__()
        self.names = nn.Parameter(nn.init.trunc_normal_(torch.empty(facts, width), std=0.5))
        self.directions = nn.Parameter(nn.init.trunc_normal_(torch.empty(facts, width), std=0.5))

    def forward(self, facts: Float[Tensor, "study fact"]) -> Float[Tensor, "study fact width"]:
        """Return the rows; no gradient reaches the heads, which learn from the reports alone."""
        return self.names + facts.detach()[..., None] * self.directions
