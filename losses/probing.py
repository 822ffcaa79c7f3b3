"""Probing loss: many heads of several kinds at once, each beside what its prior costs."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cinelex.core.distributed import sum_over_ranks

Kind = Literal["binary", "ordinal", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class Head:
    """What one head is asked for, and what answering without looking costs."""

    kind: Kind
    outputs: int
    """Numbers that it gives: one, a class each, or one for each step up between grades."""
    prior: tuple[float, ...]
    """Outputs that know only the training studies: their shares' logits, or 0, the mean."""
    prior_loss: float
    """Mean loss of these over the training studies that state the target; above 0."""


@dataclass(frozen=True, kw_only=True)
class Probing:
    """Mean over heads of loss / loss of the prior; what a study leaves open is masked.

    Cross-entropy for two classes and for several; for grades the mean binary cross-entropy of "is
    above grade k"; the squared error of a standardised number. Each head's loss is the mean over
    the studies of all ranks that state its target, and is divided by what its prior costs over the
    training studies, so that a rare finding weighs as much as a common one. Knowing nothing costs
    1 over the training studies, by definition; knowing everything costs 0. Heads of which no study
    of the batch states anything are left out.

    Source: Frank and Hall 2001, "A simple approach to ordinal classification", for grades.
    """

    heads: tuple[Head, ...]

    def __call__(
        self, outputs: Float[Tensor, "study output"], targets: Float[Tensor, "study head"]
    ) -> Float[Tensor, ""]:
        """Return the loss; every rank gets the same value.

        Args:
            outputs: Of all heads, one behind the other.
            targets: 0 or 1, a class, a grade, or a standardised number; NaN where open.
        """
        parts = outputs.float().split([head.outputs for head in self.heads], dim=1)
        sums, counts = [], []
        for head, part, target in zip(self.heads, parts, targets.unbind(1), strict=True):
            known = target.isfinite()
            each = head_losses(head.kind, part, target.nan_to_num())
            sums.append(torch.where(known, each, 0.0).sum() / head.prior_loss)
            counts.append(known.sum().float())
        total, count = sum_over_ranks(torch.stack(sums)), sum_over_ranks(torch.stack(counts))
        return (total / count.clamp_min(1.0)).sum() / (count > 0).sum().clamp_min(1)

    def chance(self, targets: Float[Tensor, "study head"]) -> float:
        """Return the loss of the priors on these studies, of all ranks."""
        prior = torch.tensor([number for head in self.heads for number in head.prior])
        return float(self(prior.to(targets.device).expand(len(targets), -1), targets))


def head_losses(
    kind: Kind, outputs: Float[Tensor, "study output"], target: Float[Tensor, " study"]
) -> Float[Tensor, " study"]:
    """Return the loss of each study."""
    if kind == "regression":
        return (outputs[:, 0] - target).square()
    if kind == "multiclass":
        return F.cross_entropy(outputs, target.long(), reduction="none")
    steps = torch.arange(outputs.shape[1], device=outputs.device)
    above = (target[:, None] > steps).to(outputs.dtype)
    return F.binary_cross_entropy_with_logits(outputs, above, reduction="none").mean(dim=1)
