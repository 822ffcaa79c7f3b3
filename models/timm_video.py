"""Any image backbone of timm on each frame, and a transformer over the frames."""

from collections.abc import Mapping
from typing import Any

from einops import rearrange
from torch import nn

from cinelex.models.arrival import KeyMap
from cinelex.models.blocks import Block, start_small
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import make_repeatable
from cinelex.models.normalize import Levels, Normalize, pixels_of
from cinelex.models.positions import GridPositions
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep
from cinelex.models.timm_backbone import build_backbone, features_of


class TimmVideo(PretrainedVideo):
    """Turn each frame into one token with an image backbone; the tokens attend to each other."""

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        backbone: str = "resnet18",
        pretrained: bool | str = False,
        key_map: KeyMap | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        depth: int = 2,
        heads: int = 4,
        mlp_ratio: float = 4.0,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the backbone and the blocks over time.

        Args:
            width: Embedding dimension of a token; a multiple of ``heads``.
            frames: Frames a clip, and so tokens.
            size: Rows, and columns, of a frame.
            channels: 3, or 1 for gray, which is shown to all three.
            backbone: A name that ``timm.list_models`` knows.
            pretrained: False for random weights, true for those that timm has (from its cache, or
                downloaded), or the path of a safetensors or torch file.
            key_map: How the file's names become timm's: ``order``, or patterns.
            mean: Of the levels in [0, 1] that the file was trained on; None takes timm's.
            std: Their deviation.
            depth: Transformer blocks over time.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: An unknown backbone, or weights that cannot be had or do not fit.
        """
        super().__init__()
        self.width, self.grid, self.tubelet = width, (frames, 1, 1), (1, size, size)
        self.kept = {}
        self.backbone, self.arrival = build_backbone(
            backbone, False if kept is not None else pretrained, size=size, key_map=key_map
        )
        self.trunk = "backbone" if pretrained is not False else ""
        said: Any = self.backbone.pretrained_cfg
        pixels = pixels_of((said["mean"], said["std"]), mean, std)
        self.pixels = pixels if self.trunk else None
        self.normalize = Normalize(pixels.mean, pixels.std)
        make_repeatable(self.backbone, trained=pretrained is not False)
        features = features_of(self.backbone, backbone, size=size)
        self.native = features
        self.project = nn.Linear(features, width)
        self.positions = GridPositions(width=width, grid=self.grid)
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        start_small(self.project)
        start_small(self.blocks)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return one token a frame."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the backbone's row of each frame."""
        assert keep is None
        frames = rearrange(
            self.normalize(clips),
            "clip channel frame row column -> (clip frame) channel row column",
        )
        return self.backbone(frames).unflatten(0, (len(clips), -1))

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Let the frames of each clip attend to each other."""
        tokens = self.project(features) + self.positions()
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
