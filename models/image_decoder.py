"""Image decoder: a latent unfolded to a coarse map, and doubled until it is a picture."""

import torch.nn.functional as F
from einops import rearrange
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.blocks import start_level
from cinelex.models.contracts import ImageDecoder
from cinelex.models.shapes import Clips, Latents


class ConvImageDecoder(ImageDecoder):
    """Alternate convolutions with doublings that move channels into rows and columns.

    Source: Shi et al. 2016, arXiv:1609.05158, section 3.2 (sub-pixel convolution).
    """

    def __init__(
        self,
        *,
        latent: int,
        frames: int,
        size: int,
        channels: int,
        width: int = 32,
        coarse: int = 8,
    ) -> None:
        """Make the first matrix and the convolutions.

        Args:
            latent: Dimension of a latent.
            frames: Frames of a picture.
            size: Rows, and columns, of a picture.
            channels: 1 for gray, 3 for colour.
            width: Channels of the maps on the way.
            coarse: Rows, and columns, of the first map; the size is it times a power of two.

        Raises:
            UserError: The size cannot be reached by doubling.
        """
        super().__init__()
        doublings = (size // coarse).bit_length() - 1
        if coarse << doublings != size or doublings < 1:
            raise UserError(
                f"a picture of {size} pixels is not reached by doubling {coarse}; set "
                "latent.image_decoder.options.coarse to the size over a power of two"
            )
        self.frames, self.coarse = frames, coarse
        self.unfold = nn.Linear(latent, width * coarse * coarse)
        self.convolve = nn.ModuleList(
            nn.Conv2d(width, 4 * width, 3, padding=1) for _ in range(doublings - 1)
        )
        self.finish = nn.Conv2d(width, 4 * frames * channels, 3, padding=1)
        start_level(self)

    def forward(self, latents: Latents) -> Clips:
        """Return normalized pixels, which nothing bounds."""
        maps = rearrange(
            self.unfold(latents),
            "clip (width rows columns) -> clip width rows columns",
            rows=self.coarse,
            columns=self.coarse,
        )
        for convolution in self.convolve:
            maps = F.pixel_shuffle(convolution(F.gelu(maps)), 2)
        pixels = F.pixel_shuffle(self.finish(F.gelu(maps)), 2)
        return rearrange(
            pixels,
            "clip (channel frame) row column -> clip channel frame row column",
            frame=self.frames,
        )
