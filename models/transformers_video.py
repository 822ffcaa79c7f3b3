"""Video encoders of transformers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.blocks import check_heads
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import make_repeatable
from cinelex.models.hub import described, load_pretrained, pixel_statistics, rebuilt, regridded
from cinelex.models.normalize import Levels, Normalize, pixels_of
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep
from cinelex.models.tubelets import grid_of, take_positions


class VideoMAE(PretrainedVideo):
    """The encoder of VideoMAE, which sees the tokens that are kept and no others.

    Source: Tong et al. 2022, arXiv:2203.12602; the layers are those of transformers.
    """

    drops_tokens = True

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: str | None = None,
        depth: int = 12,
        heads: int = 12,
        tubelet: tuple[int, int, int] = (2, 16, 16),
        mlp_ratio: float = 4.0,
        mean: Levels | None = None,
        std: Levels | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the encoder.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip.
            size: Rows, and columns, of a frame.
            channels: 1 for gray, 3 for colour; a pretrained model is shown gray as three.
            pretrained: None for random weights, or a folder or hub name whose own depth, heads,
                tubelet and width count; its tokens are then projected to ``width``.
            depth: Transformer blocks.
            heads: Attention heads a block.
            tubelet: Frames, rows and columns of pixels in one token; as many rows as columns.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            mean: Of the levels in [0, 1] that the weights were trained on; None takes what their
                folder says.
            std: Their deviation.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: Sizes that do not fit, or weights that cannot be had or do not fit.
        """
        super().__init__()
        clip: dict[str, Any] = {"num_frames": frames, "image_size": size}
        self.videomae: nn.Module
        if pretrained is None:
            check_heads(width=width, heads=heads)
            if tubelet[1] != tubelet[2]:
                raise UserError(f"VideoMAE's tubelets are square, got {list(tubelet)}")
            self.videomae = _fresh(
                **clip,
                num_channels=channels,
                tubelet_size=tubelet[0],
                patch_size=tubelet[1],
                hidden_size=width,
                num_hidden_layers=depth,
                num_attention_heads=heads,
                intermediate_size=int(width * mlp_ratio),
            )
            self.normalize = Normalize()
        else:
            self._take(pretrained, kept, clip)
            assert self.kept is not None
            self.pixels = pixels_of(self.kept["pixels"], mean, std)
            self.normalize = Normalize(self.pixels.mean, self.pixels.std)
        config: Any = self.videomae.config
        if channels > config.num_channels:
            raise UserError(f"{pretrained} was trained on grayscale; set data.channels=1")
        make_repeatable(self.videomae, trained=True)
        self.width = width
        self.tubelet = (config.tubelet_size, config.patch_size, config.patch_size)
        self.grid = grid_of(frames=frames, size=size, tubelet=self.tubelet)
        native: int = config.hidden_size
        self.native = native
        self.project = nn.Identity() if native == width else nn.Linear(native, width)

    def _take(
        self, pretrained: str, kept: Mapping[str, Any] | None, clip: Mapping[str, Any]
    ) -> None:
        """Take the encoder from its folder, or build it as a run kept it."""
        # Here, because it takes seconds.
        from transformers import VideoMAEModel

        self.trunk = "videomae"
        if kept is None:
            self.videomae, arrival = load_pretrained(VideoMAEModel, pretrained, **clip)
            self.arrival = regridded(arrival, pretrained, **clip)
            own = pixel_statistics(pretrained)
        else:
            self.videomae, own = rebuilt(VideoMAEModel, kept["config"]), kept["pixels"]
        self.kept = {"config": described(self.videomae), "pixels": own}

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip, in the order of ``keep``."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return VideoMAE's own tokens, in the order of ``keep``."""
        pixels = self.normalize(clips).transpose(1, 2)
        if keep is None:
            return self.videomae(pixels).last_hidden_state
        tokens_a_clip = self.grid[0] * self.grid[1] * self.grid[2]
        hidden = torch.ones(len(clips), tokens_a_clip, dtype=torch.bool, device=clips.device)
        hidden.scatter_(1, keep, value=False)
        tokens = self.videomae(pixels, bool_masked_pos=hidden).last_hidden_state
        # They come in ascending order of their indices, whatever the order of ``keep``.
        return take_positions(tokens, keep.argsort(dim=1).argsort(dim=1))

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Project them where the width is another."""
        return self.project(features)


def _fresh(**sizes: Any) -> nn.Module:
    """Return an encoder of random weights, by the names that transformers gives its sizes."""
    from transformers import VideoMAEConfig, VideoMAEModel

    model: nn.Module = VideoMAEModel(VideoMAEConfig(**sizes, use_mean_pooling=False))
    return model
