"""What contrast agent does to the frames of a clip, made plain before a stem sees them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD

DARKEST = 0.02
"""Added to levels in [0, 1], so that black has a logarithm."""
USUAL = 0.4
"""Absorption of usual tissue, in nats."""
GAIN = 3.0
"""By which differences of absorption are as large as the pixels that stems expect."""
FAINTEST = 0.1
"""Nats of contrast agent that count as none in the logarithm of the peak."""
USUAL_LOG = 1.5
"""By which the logarithm of a usual vessel's peak is 0, about."""
PEAK_FRAMES = 2
"""Frames that `peaks` adds: the peak and its logarithm."""


class ContrastAgent(nn.Module):
    """Subtract what stood there before the contrast agent came, and show how much came at most.

    Source: Brody 1982, Digital subtraction angiography, IEEE Trans. Nucl. Sci. 29(3): logarithms
    are subtracted, because thicknesses of what absorbs add up in them (Beer and Lambert).
    """

    def __init__(
        self,
        *,
        subtract_first: bool,
        log_levels: bool,
        peaks: bool,
        tubelet_frames: int,
        first_gain: float = 1.0,
    ) -> None:
        """Choose what is done.

        Args:
            subtract_first: Give each later frame as its difference from the first.
            log_levels: Take minus the logarithm of the levels first.
            peaks: Add to each tubelet two frames: its greatest difference, and that one's
                logarithm.
            tubelet_frames: Frames of a tubelet.
            first_gain: What the first frame's logarithm is multiplied by; read with both of the
                first two.

        Raises:
            UserError: Peaks without logarithms and differences.
        """
        super().__init__()
        if peaks and not (subtract_first and log_levels):
            raise UserError("peaks=true needs subtract_first=true and log_levels=true")
        self.subtract_first, self.log_levels, self.peaks = subtract_first, log_levels, peaks
        self.tubelet_frames, self.first_gain = tubelet_frames, first_gain

    @property
    def shown_frames(self) -> int:
        """Frames of a tubelet, those that are added among them."""
        return self.tubelet_frames + (PEAK_FRAMES if self.peaks else 0)

    def forward(
        self, clips: Float[Tensor, "clip channel frame row column"]
    ) -> Float[Tensor, "clip channel shown row column"]:
        """Return the frames of standardised clips as they are shown to a stem."""
        if self.log_levels:
            levels = (clips * PIXEL_STD + PIXEL_MEAN).clamp_min(0.0)
            clips = -(levels + DARKEST).log() - USUAL
        if not self.subtract_first:
            return clips * GAIN if self.log_levels else clips
        first, later = clips[:, :, :1], clips[:, :, 1:] - clips[:, :, :1]
        if not self.log_levels:
            return torch.cat((first, later), dim=2)
        shown = torch.cat((self.first_gain * first, GAIN * later), dim=2)
        if not self.peaks:
            return shown
        since = torch.cat((torch.zeros_like(first), later), dim=2)
        by_tubelet = since.unflatten(2, (-1, self.tubelet_frames))
        peak = by_tubelet.amax(dim=3, keepdim=True).clamp_min(0.0)
        added = (GAIN * peak, (peak + FAINTEST).log() + USUAL_LOG)
        return torch.cat((shown.unflatten(2, by_tubelet.shape[2:4]), *added), dim=3).flatten(2, 3)
