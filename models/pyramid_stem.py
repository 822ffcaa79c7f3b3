"""A small convolutional net over whole frames, whose last map is cut into tokens."""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cinelex.core.errors import UserError

HALVINGS = 3
"""Times that rows and columns are halved."""
GROUPS = 8
"""Groups of channels that are normalised together."""


class PyramidStem(nn.Module):
    """Find small things wherever they are, and hand each tubelet what lies in it.

    The same few weights look at every place, so that what is learned of a narrowing in one vessel
    is known in all others; one matrix a tubelet has to learn it at each offset anew. Tubelets that
    are hidden are blanked in the pixels, so that nothing of them can be seen around their edges;
    they cost what visible ones cost.

    Source: Tian et al. 2023, SparK, arXiv:2301.03580, and Gao et al. 2022, ConvMAE,
    arXiv:2205.03892 (masked convolutions); norms over groups of channels, Wu and He 2018,
    arXiv:1803.08494, keep the sizes within a clip.
    """

    def __init__(
        self, *, width: int, channels: int, tubelet: tuple[int, int, int], base: int = 16
    ) -> None:
        """Make four convolutions and one matrix.

        Args:
            width: Embedding dimension of a token.
            channels: Channels of a frame.
            tubelet: Frames, rows and columns of a tubelet.
            base: Channels of the first map; the next have twice and four times as many.

        Raises:
            UserError: The tubelet's sides, the width or ``base`` do not fit the halvings.
        """
        super().__init__()
        scale = 2**HALVINGS
        self.tubelet, self.cells = tubelet, (tubelet[1] // scale, tubelet[2] // scale)
        inside = self.cells[0] * self.cells[1]
        if tubelet[1] % scale or tubelet[2] % scale or width % inside or base % GROUPS:
            raise UserError(
                f"stem=pyramid needs tubelets of a multiple of {scale} rows and columns, a width "
                f"that is a multiple of their {scale}ths and a base that is one of {GROUPS}; got "
                f"{list(tubelet)}, width {width} and base {base}"
            )
        maps = (tubelet[0] * channels, base, 2 * base, 4 * base, 4 * base)
        self.convolve = nn.Sequential(
            *(
                _convolution(maps[n], maps[n + 1], stride=1 if n == 0 else 2)
                for n in range(HALVINGS + 1)
            ),
            nn.Conv2d(maps[-1], width // inside, 1),
        )

    def forward(
        self,
        clips: Float[Tensor, "clip channel frame row column"],
        visible: Bool[Tensor, "clip token"] | None = None,
    ) -> Float[Tensor, "clip token width"]:
        """Return the tokens of each tubelet, those that are not visible among them."""
        frames, rows, columns = self.tubelet
        maps = rearrange(
            clips, "clip channel (t frame) y x -> clip t (frame channel) y x", frame=frames
        )
        if visible is not None:
            t, y, x = maps.shape[1], maps.shape[3] // rows, maps.shape[4] // columns
            grid = visible.view(maps.shape[0], t, 1, y, x).to(maps.dtype)
            grid = grid.repeat_interleave(rows, dim=3).repeat_interleave(columns, dim=4)
            maps = maps * grid
        images = maps.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return rearrange(
            self.convolve(images),
            "(clip t) part (y rows) (x columns) -> clip (t y x) (rows columns part)",
            clip=clips.shape[0],
            rows=self.cells[0],
            columns=self.cells[1],
        )


def _convolution(inner: int, outer: int, *, stride: int) -> nn.Module:
    convolution = nn.Conv2d(inner, outer, 3, stride=stride, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return nn.Sequential(convolution, nn.GroupNorm(GROUPS, outer), nn.ReLU())
