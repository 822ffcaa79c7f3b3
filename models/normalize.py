"""From the pixels that arrive to those that an encoder was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.shapes import Clips

Levels = tuple[float, ...]
"""A number a channel, in units of the full range of levels."""


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Mean and deviation of levels in [0, 1] that a pretrained tower normalises by."""

    mean: Levels
    std: Levels
    own: tuple[Levels, Levels] | None = None
    """What its checkpoint says of them; None where it says nothing."""

    def line(self) -> str:
        """Return mean and deviation, and who says so."""
        what = f"mean {_short(self.mean)}, deviation {_short(self.std)}"
        if self.own is None:
            return f"{what}; the checkpoint does not say which it was trained on"
        if self.own == (self.mean, self.std):
            return f"{what}, as the checkpoint says"
        return f"{what}, but the checkpoint says {_short(self.own[0])} and {_short(self.own[1])}"


def _short(levels: Levels) -> str:
    return "[" + ", ".join(f"{level:.4g}" for level in levels) + "]"


def pixels_of(
    own: Sequence[Sequence[float]] | None, mean: Levels | None, std: Levels | None
) -> Pixels:
    """Return what a config sets, or else what a checkpoint says.

    Raises:
        UserError: Nobody says it, or one of the two is set alone.
    """
    if (mean is None) != (std is None):
        raise UserError("mean and std belong together; give both, or neither")
    said = None if own is None else (tuple(own[0]), tuple(own[1]))
    if mean is not None and std is not None:
        if min(std) <= 0 or len(mean) != len(std):
            raise UserError(f"mean {list(mean)} and std {list(std)}: expected a level per channel")
        return Pixels(mean=mean, std=std, own=said)
    if said is None:
        raise UserError(
            "nothing says how the pixels of the weights are normalised; copy their "
            "preprocessor_config.json beside them, or set the options mean and std"
        )
    return Pixels(mean=said[0], std=said[1], own=said)


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
        if not self._untouched:
            return (clips - self.mean) / self.std
        # as broadcasting does above: gray is shown to all three
        alone = clips.shape[1] < len(self.mean)
        return clips.expand(-1, len(self.mean), -1, -1, -1) if alone else clips
