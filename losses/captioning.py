"""Captioning loss: predict each token of the report from the videos and the tokens before it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks


@dataclass(frozen=True, kw_only=True)
class Captioning:
    """Next-token cross-entropy over all tokens of the global batch, in nats per token.

    With w_t the weight of the token at position t (0 for padding, 1 else, ``number_weight`` for
    numbers), both sums over all studies of all ranks:

        loss = sum_t w_t (-log p(token_t | study, tokens before t)) / sum_t w_t

    Padding never counts, neither as a token nor in the mean. Chance, every token alike, is
    ln(vocab); a decoder that ignores the study reaches the entropy of the reports' language, not
    less, which is why shuffled studies are scored beside it.

    Source: Yu et al. 2022, CoCa, arXiv:2205.01917, equation 3.
    """

    pad_id: int
    """The tokenizer's padding token."""
    number_ids: tuple[int, ...] = ()
    """The tokens that are numbers, such as "70%"."""
    number_weight: float = 1.0
    """How many ordinary tokens a number counts for; 1 is the plain mean."""

    def __post_init__(self) -> None:
        """Refuse a weight that would make numbers costless or profitable."""
        if not 0 < self.number_weight < float("inf"):
            raise ValueError(f"number_weight must be above 0, got {self.number_weight}")

    def __call__(
        self,
        logits: Float[Tensor, "study token vocab"],
        token_ids: Int[Tensor, "study token"],
    ) -> Float[Tensor, ""]:
        """Compare the logits at each token with the token that follows it.

        Args:
            logits: Those at position t are a guess at the token at t + 1; the last are not used.
            token_ids: Begin, the report, end, padding; ranks may differ in length.

        Raises:
            ValueError: The tokens have fewer than two positions, so that nothing follows anything.
        """
        if token_ids.shape[1] < 2:
            raise ValueError(
                f"captions of {token_ids.shape[1]} tokens have no next token to predict"
            )
        precision = torch.promote_types(logits.dtype, torch.float32)
        target = token_ids[:, 1:].long()
        cost = F.cross_entropy(
            rearrange(logits[:, :-1].to(precision), "study token vocab -> (study token) vocab"),
            rearrange(target, "study token -> (study token)"),
            reduction="none",
        )
        return self._mean(cost, target)

    def of(
        self,
        logits: Float[Tensor, "study token vocab"] | None,
        costs: Float[Tensor, "study next"] | None,
        token_ids: Int[Tensor, "study token"],
    ) -> Float[Tensor, ""]:
        """Return the same from logits, or from what each token but the first costs.

        Args:
            logits: See `__call__`; None where the model has given costs.
            costs: -log p of each token but the first, in nats.
            token_ids: Begin, the report, end, padding.
        """
        if costs is None:
            assert logits is not None, "a caption has logits or costs"
            return self(logits, token_ids)
        return self._mean(costs.flatten(), token_ids[:, 1:].long())

    def _mean(
        self, cost: Float[Tensor, " cell"], target: Int[Tensor, "study next"]
    ) -> Float[Tensor, ""]:
        weight = self._weight_of(target).to(cost.dtype).flatten()
        # a batch of padding alone has no cost and no tokens: 0, not 0/0
        smallest = torch.finfo(cost.dtype).tiny
        return sum_over_ranks((cost * weight).sum()) / sum_over_ranks(weight.sum()).clamp_min(
            smallest
        )

    def _weight_of(self, target: Int[Tensor, "study token"]) -> Float[Tensor, "study token"]:
        """Return how much each token counts."""
        weight = (target != self.pad_id).float()
        if not self.number_ids:
            return weight
        is_number = torch.isin(target, torch.tensor(self.number_ids, device=target.device))
        return torch.where(is_number, weight * self.number_weight, weight)
