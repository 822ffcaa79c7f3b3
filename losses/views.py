"""View loss: which view each clip shows, asked of what attention over clips reads."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True, kw_only=True)
class Views:
    """Cross-entropy of the view over the clips of the global batch whose view is known, in nats.

        loss = sum over known clips of -log p(view | clip) / how many there are

    A clip of unknown view, 0, costs and teaches nothing. Saying how often each view occurs costs
    the entropy of these shares; a batch in which no view is known costs 0.
    """

    def __call__(
        self, logits: Float[Tensor, "clip view"], views: Int[Tensor, " clip"]
    ) -> Float[Tensor, ""]:
        """Average over the known clips of all ranks; every rank gets the same value.

        Args:
            logits: Of view 1, 2 and so on.
            views: The number of each clip's view, 0 where unknown.
        """
        cost = F.cross_entropy(logits.float(), views - 1, ignore_index=-1, reduction="sum")
        return sum_over_ranks(cost) / sum_over_ranks((views > 0).sum().float()).clamp_min(1.0)
