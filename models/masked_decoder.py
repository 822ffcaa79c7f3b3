"""Masked decoder: say what is in the tubelets that the encoder did not see."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import Block, start_small
from cinelex.models.contracts import MaskedDecoder
from cinelex.models.positions import GridPositions, PositionKind, positions_at
from cinelex.models.shapes import Keep


class TransformerMaskedDecoder(MaskedDecoder):
    """Put a mask token at each hidden position, and let it attend to the visible tokens.

    Each token carries its position, so that two hidden tubelets are not predicted alike.

    Source: He et al. 2022, MAE, arXiv:2111.06377, section 3 ("MAE decoder").
    """

    def __init__(
        self,
        *,
        memory_width: int,
        output: int,
        grid: tuple[int, int, int],
        width: int = 96,
        depth: int = 2,
        heads: int = 3,
        mlp_ratio: float = 4.0,
        positions: PositionKind = "sincos",
        visible: bool = False,
    ) -> None:
        """Make the mask token, the positions and the blocks.

        Args:
            memory_width: Embedding dimension of a visible token.
            output: Numbers to predict for each hidden tubelet.
            grid: Tokens along frames, rows and columns.
            width: Embedding dimension of a token in here; a multiple of ``heads``.
            depth: Transformer blocks.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            positions: Fixed waves, or vectors that are learned.
            visible: Also predict what the encoder saw.
        """
        super().__init__()
        self.visible = visible
        self.enter = nn.Linear(memory_width, width)
        self.mask_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(width), std=0.02))
        self.positions = GridPositions(width=width, grid=grid, kind=positions)
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.predict = nn.Linear(width, output)
        start_small(self)

    def forward(
        self,
        visible: Float[Tensor, "clip visible width"],
        keep: Keep,
        hide: Int[Tensor, "clip hidden"],
    ) -> Float[Tensor, "clip predicted output"]:
        """Predict the hidden tubelets, whose tokens come last: attention does not mind."""
        positions = self.positions()
        seen = self.enter(visible) + positions_at(positions, keep)
        masked = self.mask_token + positions_at(positions, hide)
        tokens = torch.cat([seen, masked.to(seen.dtype)], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        asked = tokens if self.visible else tokens[:, keep.shape[1] :]
        return self.predict(self.norm(asked))
