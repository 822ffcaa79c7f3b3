"""A plain video transformer: tubelets of pixels in, one vector a tubelet out."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import Block, start_level, start_small
from cinelex.models.contracts import VideoEncoder
from cinelex.models.contrast_agent import ContrastAgent
from cinelex.models.normalize import Normalize
from cinelex.models.own_weights import take_weights
from cinelex.models.positions import GridPositions, PositionKind, positions_at
from cinelex.models.pyramid_stem import PyramidStem
from cinelex.models.shapes import Clips, ClipTokens, Keep
from cinelex.models.tubelets import cut_tubelets, grid_of, take_positions, visible_of

StemKind = Literal["linear", "conv", "pyramid"]


class VideoViT(VideoEncoder):
    """Cut a clip into tubelets, embed each, and let them attend to each other.

    Tubelets that are not kept are left out before they are embedded, so that they cost nothing.

    Source: Arnab et al. 2021, ViViT, arXiv:2103.15691, section 3.2 (tubelet embedding) and
    section 3.3, model 1 (joint space-time attention); dropping tokens as in He et al. 2022, MAE,
    arXiv:2111.06377, section 3.
    """

    drops_tokens = True

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        depth: int = 4,
        heads: int = 3,
        tubelet: tuple[int, int, int] = (4, 8, 8),
        stem: StemKind = "linear",
        stem_base: int = 16,
        positions: PositionKind = "sincos",
        mlp_ratio: float = 4.0,
        subtract_first: bool = False,
        log_levels: bool = False,
        peaks: bool = False,
        first_gain: float = 1.0,
        normalize_tokens: bool = True,
        pretrained: str | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the stem and the blocks.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip.
            size: Rows, and columns, of a frame.
            channels: 1 for gray, 3 for colour.
            depth: Transformer blocks.
            heads: Attention heads a block.
            tubelet: Frames, rows and columns of pixels in one token.
            stem: How a tubelet becomes a token: one matrix, a small convolutional net inside it, or
                one over whole frames.
            stem_base: Channels of the first map of ``pyramid``.
            positions: Fixed waves, or vectors that are learned.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            subtract_first: Give each later frame as its difference from the clip's first, so that
                what stands still is said once and what moves or fills with contrast stands out.
            log_levels: Take minus the logarithm of the levels first: what absorbs in a row adds up,
                so that a difference from the first frame is the contrast in its path alone,
                whatever lies behind it and however bright the lamp.
            peaks: Show the stem, beside the frames of a tubelet, their greatest difference from the
                first and its logarithm, in which a narrowing is a step of the same size in any
                vessel. Needs both of the above.
            first_gain: What the first frame's logarithm is multiplied by, where there are
                differences of logarithms; 3 shows calcium, which stands in it, as strong as them.
            normalize_tokens: Scale each token behind the stem and behind the last block. False
                keeps its size, which says how much there is to see in its tubelet.
            pretrained: Folder of a run whose tower is built alike, or a safetensors file of one.
            kept: What a run kept of it; a checkpoint has its weights then.
        """
        super().__init__()
        self.normalize = Normalize()
        self.width, self.tubelet = width, tubelet
        self.grid = grid_of(frames=frames, size=size, tubelet=tubelet)
        self.contrast = ContrastAgent(
            subtract_first=subtract_first,
            log_levels=log_levels,
            peaks=peaks,
            tubelet_frames=tubelet[0],
            first_gain=first_gain,
        )
        self.shown = (self.contrast.shown_frames, *tubelet[1:])
        self.stem = _stem(stem, width, channels, self.shown, base=stem_base)
        self.stem_norm = nn.LayerNorm(width) if normalize_tokens else nn.Identity()
        self.positions = GridPositions(width=width, grid=self.grid, kind=positions)
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width) if normalize_tokens else nn.Identity()
        start_small(self.blocks)
        start_level(self.stem)
        take_weights(self, pretrained, kept)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip."""
        clips = self.contrast(self.normalize(clips))
        positions = self.positions()
        if keep is not None:
            positions = positions_at(positions, keep)
        # without the norm the waves of the positions drown what a fresh stem says of the pixels
        tokens = self.stem_norm(self._stem_tokens(clips, keep)) + positions
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def _stem_tokens(
        self,
        clips: Float[Tensor, "clip channel frame row column"],
        keep: Int[Tensor, "clip visible"] | None,
    ) -> Float[Tensor, "clip token width"]:
        """Return a token for each tubelet that is kept."""
        if isinstance(self.stem, PyramidStem):
            if keep is None:
                return self.stem(clips)
            tokens = self.stem(clips, visible_of(keep, tokens=math.prod(self.grid)))
            return take_positions(tokens, keep)
        tubelets = cut_tubelets(clips, tubelet=self.shown)
        return self.stem(tubelets if keep is None else take_positions(tubelets, keep))


def _stem(
    kind: StemKind, width: int, channels: int, tubelet: tuple[int, int, int], *, base: int
) -> nn.Module:
    """Return what makes a token of a tubelet."""
    if kind == "pyramid":
        return PyramidStem(width=width, channels=channels, tubelet=tubelet, base=base)
    if kind == "conv":
        return ConvStem(width=width, channels=channels, tubelet=tubelet)
    return nn.Linear(channels * math.prod(tubelet), width)


class ConvStem(nn.Module):
    """A small convolutional net inside each tubelet; the frames of the tubelet are its channels.

    It never looks past the edge of its tubelet, so that a hidden tubelet stays hidden.

    Source: Xiao et al. 2021, Early convolutions help transformers see better, arXiv:2106.14881,
    section 4; confined to one tubelet here.
    """

    def __init__(self, *, width: int, channels: int, tubelet: tuple[int, int, int]) -> None:
        """Make three convolutions, the first two of which halve rows and columns.

        Args:
            width: Embedding dimension of a token.
            channels: Channels of a frame.
            tubelet: Frames, rows and columns of a tubelet.
        """
        super().__init__()
        self.tubelet = tubelet
        rows, columns = -(-tubelet[1] // 4), -(-tubelet[2] // 4)
        self.convolve = nn.Sequential(
            nn.Conv2d(tubelet[0] * channels, 32, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.GELU(),
        )
        self.to_token = nn.Linear(64 * rows * columns, width)

    def forward(self, tubelets: Float[Tensor, "clip token pixel"]) -> ClipTokens:
        """Return one token a tubelet."""
        frames, rows, columns = self.tubelet
        # Permuted, not copied: channels stay last in memory, which the convolutions prefer.
        images = rearrange(
            tubelets,
            "clip token (frames rows columns channel)"
            " -> (clip token) rows columns (frames channel)",
            frames=frames,
            rows=rows,
            columns=columns,
        ).permute(0, 3, 1, 2)
        maps = self.convolve(images).permute(0, 2, 3, 1)
        return self.to_token(maps.reshape(*tubelets.shape[:2], -1))
