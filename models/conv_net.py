"""A plain convolutional net over the frames of a clip, for sets too small for anything larger."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.contracts import VideoEncoder
from cinelex.models.normalize import Normalize
from cinelex.models.own_weights import take_weights
from cinelex.models.shapes import Clips, ClipTokens, Keep

HALVINGS = 4
"""Times that rows and columns are halved."""
GROUPS = 8
"""Groups of channels that are normalised together."""


class ConvNet(VideoEncoder):
    """Halve the frames four times by convolutions; each position of the last map is a token.

    All frames of a clip enter side by side, as channels. The maps shrink by strides: pooled ones
    cost four times as much on a CPU and found no more (docs/why/log.md). Norms over groups of
    channels keep what is known of a clip within it.

    Source: He et al. 2016, arXiv:1512.03385 (strides); Wu and He 2018, arXiv:1803.08494 (norms).
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        base: int = 32,
        pretrained: str | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the convolutions.

        Args:
            width: Embedding dimension of a token, the channels of the last map.
            frames: Frames of a clip.
            size: Rows and columns of a frame, in pixels; a multiple of 16.
            channels: Channels of a frame.
            base: Channels of the first map; the next have twice and four times as many.
            pretrained: Folder of a run whose tower is built alike, or a safetensors file of one.
            kept: What a run kept of it; a checkpoint has its weights then.

        Raises:
            UserError: The frames cannot be halved four times, or channels not grouped.
        """
        super().__init__()
        scale = 2**HALVINGS
        if size % scale or width % GROUPS or base % GROUPS:
            raise UserError(
                f"conv_net needs frames of a multiple of {scale} pixels, and a width and a base "
                f"that are multiples of {GROUPS}; got {size} pixels, width {width}, base {base}"
            )
        self.normalize = Normalize()
        self.width = width
        self.grid = (1, size // scale, size // scale)
        self.tubelet = (frames, scale, scale)
        layers = [*_convolution(frames * channels, base, kernel=5, stride=2)]
        for inner, outer in ((base, 2 * base), (2 * base, 4 * base), (4 * base, width)):
            layers += [*_convolution(inner, outer, stride=2), *_convolution(outer, outer)]
        self.layers = nn.Sequential(*layers)
        take_weights(self, pretrained, kept)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip."""
        assert keep is None
        images = self.normalize(clips).transpose(1, 2).flatten(1, 2)
        maps = self.layers(images.contiguous(memory_format=torch.channels_last))
        return maps.flatten(2).transpose(1, 2)


def _convolution(inner: int, outer: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inner, outer, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.GroupNorm(GROUPS, outer),
        nn.GELU(),
    ]
