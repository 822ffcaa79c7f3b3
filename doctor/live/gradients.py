"""The gradient of each loss term at the parameters that all terms share, and whether they agree."""

from collections.abc import Mapping
from itertools import combinations

from jaxtyping import Float
from torch import Tensor, nn

from cinelex.runners.probe import Numbers, Probe
from cinelex.runners.shared_block import SharedBlock


class GradientProbe(Probe):
    """How long the gradients of all terms are at their last shared block, and whether they agree.

    One backward pass for each term, from the term to that block.
    """

    def __init__(self, *, every: int) -> None:
        self.every = every
        self._shared = SharedBlock()

    def before_backward(self, module: nn.Module, terms: Mapping[str, Tensor]) -> Numbers:
        """Return ``gradient/norm/<term>`` and ``gradient/cosine/<term>~<term>``, unweighted."""
        return agreement(self._shared.gradients(module, terms)) if len(terms) > 1 else {}


def agreement(gradients: Mapping[str, Float[Tensor, " parameter"]]) -> dict[str, Tensor | float]:
    """Return the norm of each gradient and the cosine of each pair.

    Cosines lie in [-1, 1]; unrelated gradients of P parameters have cosine 0 give or take
    1/sqrt(P). A zero gradient has the cosine 0 with all others.
    """
    numbers: dict[str, Tensor | float] = {
        f"gradient/norm/{name}": gradient.norm() for name, gradient in gradients.items()
    }
    for first, second in combinations(sorted(gradients), 2):
        cosine = nn.functional.cosine_similarity(gradients[first], gradients[second], dim=0)
        numbers[f"gradient/cosine/{first}~{second}"] = cosine
    return numbers
