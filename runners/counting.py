"""What a step of a model costs, counted on shapes alone: nothing is computed or allocated."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from cinelex.runners.parallel import activation_checkpointing, blocks


@dataclass(frozen=True)
class Counted:
    """One forward and backward pass, in fp32."""

    flop: float
    """Floating-point operations; a product and a sum are two."""
    forward: float
    """Those of the forward pass alone."""
    kept_bytes: int
    """What the forward pass leaves for the backward pass, without the weights."""


class _Attention(torch.autograd.Function):
    """Attention whose matrix is never kept, as kernels on a GPU do it, for its shapes alone.

    Source: Dao 2023, FlashAttention-2, arXiv:2307.08691.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Multiply twice; keep what goes in and what comes out."""
        out = (query @ key.transpose(-2, -1)) @ value
        ctx.save_for_backward(query, key, value, out)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Multiply five times: the matrix is made again."""
        query, key, value, _ = ctx.saved_tensors
        weights = query @ key.transpose(-2, -1)
        inner = grads[0] @ value.transpose(-2, -1)
        return inner @ key, inner.transpose(-2, -1) @ query, weights.transpose(-2, -1) @ grads[0]


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> Tensor:
    return _Attention.apply(query, key, value)


def count(model: nn.Module, loss: Callable[[], Tensor], *, checkpointing: bool) -> Counted:
    """Count a pass of a model on the device ``meta``.

    Args:
        model: Of which ``loss`` runs the forward pass; changed where ``checkpointing`` is True.
        loss: Returns one number that reaches all that is trained.
        checkpointing: Run each block again for its gradient instead of keeping what is in it.
    """
    plain = _Pass(model)
    found = plain.run(loss)
    if not checkpointing:
        return found
    activation_checkpointing(model)
    again = _Pass(model)
    found = again.run(loss)
    # of every block its input is kept; while its gradient is made, what is in it is there again
    return replace(found, kept_bytes=found.kept_bytes + again.inputs + plain.largest)


class _Pass:
    """Watches one forward and backward pass."""

    def __init__(self, model: nn.Module) -> None:
        self.blocks = list(blocks(model))
        self.inputs = 0
        """Bytes that go into blocks."""
        self.largest = 0
        """Bytes that the block with most keeps."""
        self.held = 0
        self._kept = {_storage(one): one for one in (*model.parameters(), *model.buffers())}

    def run(self, loss: Callable[[], Tensor]) -> Counted:
        """Run it."""
        with ExitStack() as stack:
            stack.enter_context(_quiet_attention())
            counter = stack.enter_context(FlopCounterMode(display=False))
            for block in self.blocks:
                stack.callback(block.register_forward_pre_hook(self._enter).remove)
                stack.callback(block.register_forward_hook(self._leave).remove)
            with saved_tensors_hooks(self._keep, lambda tensor: tensor):
                number = loss()
            held, forward = self.held, float(counter.get_total_flops())
            if number.requires_grad:
                number.backward()
            return Counted(float(counter.get_total_flops()), forward, held)

    def _keep(self, tensor: Tensor) -> Tensor:
        if _storage(tensor) not in self._kept:
            # held, so that no other tensor gets its address
            self._kept[_storage(tensor)] = tensor
            self.held += tensor.untyped_storage().nbytes()
        return tensor

    def _enter(self, _: nn.Module, given: tuple[Any, ...]) -> None:
        self.inputs += sum(one.nbytes for one in given if isinstance(one, Tensor))
        self._before = self.held

    def _leave(self, *_: Any) -> None:
        self.largest = max(self.largest, self.held - self._before)


@contextmanager
def _quiet_attention() -> Iterator[None]:
    own = F.scaled_dot_product_attention
    F.scaled_dot_product_attention = _attention
    try:
        yield
    finally:
        F.scaled_dot_product_attention = own


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
