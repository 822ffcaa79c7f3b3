"""A small convolutional image tower that trains on a CPU in minutes."""

from torch import nn

from cinelex.models.contracts import VideoEncoder
from cinelex.models.normalize import Normalize
from cinelex.models.shapes import Clips, ClipTokens, Keep


class ConvImage(VideoEncoder):
    """Halve the image three times by convolutions; each position of the last grid is a token.

    Takes clips of one frame. Without batch statistics, so that an image's tokens depend on it
    alone.
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        base: int = 24,
        normalise_groups: int = 8,
    ) -> None:
        """Make the convolutions.

        Args:
            width: Embedding dimension of a token.
            frames: Frames of a clip; must be 1.
            size: Rows and columns of the image, in pixels; a multiple of 8.
            channels: Channels of the image.
            base: Channels after the first convolution; the second has twice as many.
            normalise_groups: Groups of channels that are normalised together.

        Raises:
            ValueError: A clip has several frames, or the image cannot be halved three times.
        """
        super().__init__()
        if frames != 1:
            raise ValueError(f"conv takes images, clips of one frame; got data.frames={frames}")
        if size % 8:
            raise ValueError(f"conv halves the image three times; {size} is not a multiple of 8")
        self.normalize = Normalize()
        self.width = width
        self.grid = (1, size // 8, size // 8)
        self.tubelet = (1, 8, 8)
        widths = (channels, base, 2 * base, width)
        layers: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [
                nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1, bias=False),
                nn.GroupNorm(normalise_groups, after),
                nn.GELU(),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each image."""
        assert keep is None
        return self.layers(self.normalize(clips)[:, :, 0]).flatten(2).transpose(1, 2)
