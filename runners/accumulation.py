"""Gradients of one big batch, made from micro-batches that fit into memory.

A contrastive term sees all samples at once, so that adding up the gradients of micro-batches
would train on smaller batches. Here the model runs over all micro-batches but the last without
gradients first; the losses are taken once, on the outputs of all; and their gradients at the
outputs are sent back through a second run, which draws the same random numbers as the first. The
last micro-batch runs once: its graph is kept while the losses are taken, as one is at any time.
Parameters that many samples share, such as a temperature, therefore get their gradient once.

The price of n micro-batches is (n - 1)/n of a forward pass more: a sixth of a step for two, a
quarter for four, where backward costs two forwards. What is kept of the whole batch are the outputs
that the losses read and their gradients.

Source: Gao et al. 2021, GradCache, arXiv:2101.06983; the single run of the last is added here.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate as accumulated
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cinelex.runners.stacking import stack, tensors_of, with_tensors

Terms = Mapping[str, Tensor]
LAST = -1
"""The micro-batch that runs once."""


def accumulate(
    outputs_of: Sequence[Callable[[], Any]],
    losses: Callable[[Any], tuple[Tensor, Terms]],
    *,
    model: nn.Module,
    device: torch.device,
    look: Callable[[Terms], None] = lambda terms: None,
) -> tuple[Tensor, Terms]:
    """Leave the gradients of the loss of all micro-batches together in the model's parameters.

    Args:
        outputs_of: Runs the model on each micro-batch, of two or more; all but the last are
            called twice, and run alike both times.
        losses: From the stacked outputs to the loss and its terms.
        model: What is run; where it is distributed, its gradients travel once, at the end.
        device: Where the model is, and draws its random numbers.
        look: Shown the terms; their graph reaches the parameters, through one more run over the
            micro-batches for each gradient that is asked for.

    Returns:
        The loss and its terms, over the whole batch, detached.
    """
    batches, outputs = _MicroBatches.run(outputs_of, model=model, device=device)
    loss, terms = losses(outputs)
    look(terms)
    tensors = tensors_of(outputs)
    trained = [tensor for tensor in tensors if tensor is not None and tensor.requires_grad]
    found = iter(torch.autograd.grad(loss, trained, allow_unused=True))
    gradients = [next(found) if t is not None and t.requires_grad else None for t in tensors]
    batches.backward(gradients)
    return loss.detach(), {name: term.detach() for name, term in terms.items()}


@dataclass(frozen=True, kw_only=True)
class _MicroBatches:
    """How to get at the graphs of all micro-batches."""

    model: nn.Module
    device: torch.device
    again: Sequence[Callable[[], Any]]
    """Runs the model on each micro-batch but the last."""
    states: Sequence[tuple[Tensor, Tensor | None]]
    """The generators before each of these, and after the last."""
    live: Sequence[Tensor | None]
    """The outputs of the last micro-batch, on their graph."""
    edges: Sequence[Sequence[int]]
    """Where the rows of each micro-batch begin in each stacked output; 0 for single numbers."""

    @classmethod
    def run(
        cls, outputs_of: Sequence[Callable[[], Any]], *, model: nn.Module, device: torch.device
    ) -> "tuple[_MicroBatches, Any]":
        """Run the model once over each micro-batch; return the stacked outputs too.

        These are the results of one operation on the parameters, `_Trace`.
        """
        *again, live = outputs_of
        states, outputs = [], []
        with torch.no_grad():
            for run in again:
                states.append(_random_state(device))
                outputs.append(run())
        with _without_travel(model):
            outputs.append(live())
        tensors = [tensors_of(one) for one in outputs]
        rows = [[0 if t is None or t.ndim == 0 else len(t) for t in one] for one in tensors]
        batches = cls(
            model=model,
            device=device,
            again=again,
            states=[*states, _random_state(device)],
            live=tensors[-1],
            edges=[[0, *accumulated(column)] for column in zip(*rows, strict=True)],
        )
        parameters = [p for p in model.parameters() if p.requires_grad]
        stacked = stack(outputs)
        detached = [None if t is None else t.detach() for t in tensors_of(stacked)]
        traced = _Trace.apply(batches, parameters, detached, *parameters)
        return batches, with_tensors(stacked, iter(traced))

    def backward(self, gradients: Sequence[Tensor | None]) -> None:
        """Send the gradients of the stacked outputs back into the parameters."""
        with _without_travel(self.model):
            self._backward(LAST, gradients)
        for number in range(len(self.again)):
            last = number == len(self.again) - 1
            with contextlib.nullcontext() if last else _without_travel(self.model):
                self._backward(number, gradients)
        _set_random_state(self.device, self.states[-1])

    def gradients(
        self, parameters: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Return the gradients of parameters, None where there is none, and leave all as it was."""
        total: list[Tensor | None] = [None for _ in parameters]
        with torch.enable_grad(), _without_travel(self.model):
            for number in (*range(len(self.again)), LAST):
                outputs, own = self._ends(number, gradients, needed_only=True)
                if not outputs:
                    continue
                found = torch.autograd.grad(
                    outputs, parameters, own, retain_graph=number == LAST, allow_unused=True
                )
                total = [
                    one if other is None else other if one is None else one + other
                    for one, other in zip(total, found, strict=True)
                ]
        _set_random_state(self.device, self.states[-1])
        return total

    def _backward(self, number: int, gradients: Sequence[Tensor | None]) -> None:
        torch.autograd.backward(*self._ends(number, gradients))

    def _ends(
        self, number: int, gradients: Sequence[Tensor | None], *, needed_only: bool = False
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the outputs of a micro-batch, on their graph, and the gradients at them.

        Args:
            number: Which; `LAST` is the one whose graph is there.
            gradients: Of the stacked outputs; None where the loss does not read one.
            needed_only: Leave out what has no gradient; otherwise the parameters behind it take
                part with zeros, as they do in a distributed big batch.
        """
        outputs = self.live
        if number != LAST:
            _set_random_state(self.device, self.states[number])
            outputs = tensors_of(self.again[number]())
        ends, sent = [], []
        for output, gradient, edges in zip(outputs, gradients, self.edges, strict=True):
            if output is None or not output.requires_grad:
                continue
            # single numbers are the same for all: the last one brings their gradient back
            own = None if output.ndim == 0 and number != LAST else gradient
            if own is None and needed_only:
                continue
            if own is not None and output.ndim:
                rows = own[edges[len(self.again) if number == LAST else number] :]
                own = rows[tuple(map(slice, output.shape))]
            ends.append(output)
            sent.append(torch.zeros_like(output) if own is None else own)
        return ends, sent


class _Trace(torch.autograd.Function):
    """The stacked outputs as a function of the parameters, whose backward runs the model again."""

    @staticmethod
    def forward(
        ctx: Any,
        batches: _MicroBatches,
        parameters: list[Tensor],
        outputs: list[Tensor | None],
        *_: Tensor,
    ) -> tuple[Tensor | None, ...]:
        ctx.batches, ctx.parameters = batches, parameters
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(
            *[t for t in outputs if t is not None and not t.is_floating_point()]
        )
        return tuple(None if tensor is None else tensor.view_as(tensor) for tensor in outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        return None, None, None, *ctx.batches.gradients(ctx.parameters, gradients)


def _without_travel(model: nn.Module) -> contextlib.AbstractContextManager[None]:
    """Return where gradients are added up without being averaged over the ranks."""
    if isinstance(model, DistributedDataParallel):
        return model.no_sync()
    return contextlib.nullcontext()


def _random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), on_device


def _set_random_state(device: torch.device, state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
