"""What multitask pretraining hands from its model to its losses."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.models.video_text_outputs import VideoTextOutputs


@dataclass(frozen=True)
class MultitaskOutputs:
    """All that the losses need of one batch."""

    model: VideoTextOutputs
    """What the model says."""
    masked_target: Float[Tensor, "masked hidden pixel"] | Int[Tensor, "masked predicted"] | None
    """The pixels that it did not see or, where latents are predicted, of which tokens; None where
    nothing is masked."""
    twins: Bool[Tensor, " study"] | None = None
    """Which reports have a twin that was encoded too; None where none was."""
