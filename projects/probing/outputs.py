"""What the losses of probing are made from."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class ProbeOutputs:
    """All that the losses need of one batch."""

    logits: Float[Tensor, "study probe output"]
    """Of all heads, one behind the other."""
