"""The weighted sum that training minimizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class WeightedSum:
    """Add up named loss terms, each times its weight.

    The terms must be exactly those that have a weight: a term that nobody weighs, or a weight
    whose term never comes, is a mistake in the project, not a zero. Weights that change during
    training make a new sum each step; the terms themselves stay unweighted, for the record.
    """

    weights: Mapping[str, float]
    """The weight of each term, 0 or more."""

    def __post_init__(self) -> None:
        """Refuse an empty sum and weights that are below zero or not finite."""
        if not self.weights:
            raise ValueError("a multitask loss needs at least one term")
        wrong = {
            name: weight
            for name, weight in self.weights.items()
            if not (math.isfinite(weight) and weight >= 0)
        }
        if wrong:
            raise ValueError(f"loss weights must be finite and 0 or more, got {wrong}")

    def __call__(self, terms: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Return the sum over terms of weight times term.

        Args:
            terms: Scalars by name. Where gradients are on, each must have one: a term computed
                from decoded words or detached features would look trained and never move.

        Raises:
            ValueError: Terms and weights differ in their names, or a term is no scalar, or a term
                has no gradient; all culprits are named.
        """
        missing, unweighted = self.weights.keys() - terms.keys(), terms.keys() - self.weights.keys()
        if missing or unweighted:
            raise ValueError(
                f"terms without a weight: {sorted(unweighted)}; "
                f"weights without a term: {sorted(missing)}"
            )
        vectors = sorted(name for name, term in terms.items() if term.ndim > 0)
        if vectors:
            raise ValueError(f"terms that are not one number: {vectors}")
        untrained = sorted(name for name, term in terms.items() if not term.requires_grad)
        if untrained and torch.is_grad_enabled():
            raise ValueError(f"terms without a gradient, which cannot be trained: {untrained}")
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
