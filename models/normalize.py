"""From the pixels that arrive to those that an encoder was trained on."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.shapes import Clips


class Normalize(nn.Module):
    """Subtract an encoder's own mean from the levels in [0, 1] of each channel, over its deviation.

    Where pixels arrive standardised already, `expect` joins both maps into one, so that the pixels
    of an encoder with the same statistics are not touched at all.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, mean: Sequence[float] = (PIXEL_MEAN,), std: Sequence[float] = (PIXEL_STD,)
    ) -> None:
        """Take levels in [0, 1].

        Args:
            mean: Of the levels of each channel; of three, gray is shown to all.
            std: Their standard deviation.
        """
        super().__init__()
        self._statistics = tuple(mean), tuple(std)
        self.expect(mean=0.0, std=1.0)

    def expect(self, *, mean: float, std: float) -> None:
        """Take (level - mean) / std from now on."""
        means = [(own - mean) / std for own in self._statistics[0]]
        stds = [own / std for own in self._statistics[1]]
        self._untouched = set(means) == {0.0} and set(stds) == {1.0}
        for name, values in (("mean", means), ("std", stds)):
            self.register_buffer(name, torch.tensor(values).view(-1, 1, 1, 1), persistent=False)

    def forward(self, clips: Clips) -> Float[Tensor, "clip own_channel frame row column"]:
        """Return pixels of the encoder's mean and deviation."""
        return clips if self._untouched else (clips - self.mean) / self.std
