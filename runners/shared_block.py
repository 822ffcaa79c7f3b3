"""The last block of a model that every loss term moves, and the gradients of the terms there."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.distributed import sum_over_ranks, world_size
from cinelex.core.names import covered


class SharedBlock:
    """Exact gradients of every unweighted term at the last block that all terms move.

    Each is one backward pass from the term to that block, along the graph that the update needs
    anyway; no graph is built, and nothing before the block is walked. Over several processes the
    gradients are averaged as DistributedDataParallel averages them.
    """

    def __init__(self) -> None:
        """Find the block at the first look."""
        self._block: list[nn.Parameter] | None = None

    def gradients(
        self, module: nn.Module, terms: Mapping[str, Tensor]
    ) -> dict[str, Float[Tensor, " parameter"]]:
        """Return each term's gradient; none where no block is moved by all terms."""
        if self._block is None:
            self._block = shared_block(module, moved_parameters(module, terms))
        if not self._block:
            return {}
        return {name: _gradient(term, self._block) for name, term in terms.items()}


def _gradient(term: Tensor, block: list[nn.Parameter]) -> Float[Tensor, " parameter"]:
    found = torch.autograd.grad(term, block, retain_graph=True, materialize_grads=True)
    flat = torch.cat([part.flatten() for part in found]).float()
    return sum_over_ranks(flat) / world_size()


def moved_parameters(module: nn.Module, terms: Mapping[str, Tensor]) -> dict[str, set[str]]:
    """Return, for each term, the names of the trainable parameters that its gradient reaches.

    A term without a gradient reaches none.
    """
    named = {name: value for name, value in module.named_parameters() if value.requires_grad}
    return {term: _reached(value, named) for term, value in terms.items()}


def _reached(term: Tensor, named: Mapping[str, nn.Parameter]) -> set[str]:
    """Return the names of what a term's gradient reaches; no gradient is kept for the next term."""
    if not term.requires_grad:
        return set()
    found = torch.autograd.grad(term, list(named.values()), retain_graph=True, allow_unused=True)
    return {name for name, part in zip(named, found, strict=True) if part is not None}


def shared_block(module: nn.Module, moved: Mapping[str, set[str]]) -> list[nn.Parameter]:
    """Return the parameters of the last block that every term moves; none if there is no such.

    The last in the order of ``named_parameters`` whose weight matrix all terms reach. A block is
    what stands under one number of a list of layers, else under one name of the module.
    """
    shared = set.intersection(*moved.values()) if moved else set()
    parameters = dict(module.named_parameters())
    matrices = [name for name in parameters if name in shared and parameters[name].ndim >= 2]
    if not matrices:
        return []
    block = _block_of(matrices[-1])
    return [parameters[name] for name in parameters if name in shared and covered(name, [block])]


def _block_of(name: str) -> str:
    parts = name.split(".")
    numbers = [index for index, part in enumerate(parts) if part.isdigit()]
    return ".".join(parts[: numbers[-1] + 1] if numbers else parts[:-1] or parts)
