"""How a decoder chooses among the texts that it could write."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a text is chosen."""

    beams: int = 1
    """Beginnings that are kept of each text; 1 takes the likeliest token each time."""
    n_best: int = 1
    """Texts that are written of each row, the best first; no more than beams."""
    length_penalty: float = 1.0
    """Power of its length that divides a text's log-likelihood; above 0 favours long ones."""
    top_p: float | None = None
    """Draws each token from the likeliest ones that hold this share together; None draws none."""
    temperature: float = 1.0
    """Divisor of the logits that are drawn from."""
    seed: int = 0
    """Decides the draws of each text by its place."""

    def __post_init__(self) -> None:
        """Refuse beams that are drawn, and more texts than beams."""
        if self.n_best > self.beams:
            raise ValueError("n_best texts need as many beams; raise beams")
        if self.top_p is not None and self.beams > 1:
            raise ValueError("top_p draws tokens and beams compare texts; set one of them")


GREEDY = Search()
"""Always the likeliest token."""


@runtime_checkable
class Constraint(Protocol):
    """Says, while reports are written, which tokens may come next; it keeps the state itself."""

    def allowed(self) -> Bool[Tensor, "study vocab"]:
        """Return which tokens may follow what each study has so far; at least one for each."""

    def advance(self, token_ids: Int[Tensor, " study"]) -> None:
        """Take note of the token that each study got."""
