"""Gradients of one big batch, made from parts of it that fit into memory.

A contrastive term sees all samples at once, so that adding up the gradients of parts would train
on smaller batches. Here the model runs over every part without gradients first; the losses are
taken once, on the outputs of all parts; and their gradients at the outputs are sent back through a
second run over every part, which draws the same random numbers as the first. Parameters that
many samples share, such as a temperature, therefore get their gradient once.

The price is one more forward pass, about a third of the time of a step. What is kept of the whole
batch are the outputs that the losses read and their gradients.

Source: Gao et al. 2021, GradCache, arXiv:2101.06983.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

Terms = Mapping[str, Tensor]


def accumulate(
    outputs_of: Sequence[Callable[[], Any]],
    losses: Callable[[Any], tuple[Tensor, Terms]],
    *,
    model: nn.Module,
    device: torch.device,
) -> tuple[Tensor, Terms]:
    """Leave the gradients of the loss of all parts together in the model's parameters.

    Args:
        outputs_of: Runs the model on each part; called twice, and alike both times.
        losses: From the stacked outputs to the loss and its terms.
        model: What is run; where it is distributed, its gradients travel once, at the end.
        device: Where the model is, and draws its random numbers.

    Returns:
        The loss and its terms, over the whole batch, detached.
    """
    states = []
    with torch.no_grad():
        outputs = []
        for run in outputs_of:
            states.append(_random_state(device))
            outputs.append(run())
    leaves = _as_leaves(stack(outputs))
    del outputs
    loss, terms = losses(leaves)
    loss.backward()
    gradients = [None if leaf is None else leaf.grad for leaf in tensors_of(leaves)]
    row = [0] * len(gradients)
    for place, (run, state) in enumerate(zip(outputs_of, states, strict=True)):
        last = place == len(states) - 1
        _set_random_state(device, state)
        with contextlib.nullcontext() if last else _without_travel(model):
            again = tensors_of(run())
            _backward(again, gradients, row, last=last)
    return loss.detach(), {name: term.detach() for name, term in terms.items()}


def tensors_of(record: Any) -> list[Tensor | None]:
    """Return the tensors of a dataclass, also of dataclasses in it, in the order of its fields."""
    if is_dataclass(record):
        return [
            tensor for field in fields(record) for tensor in tensors_of(getattr(record, field.name))
        ]
    assert record is None or isinstance(record, Tensor), f"outputs hold a {type(record).__name__}"
    return [record]


def stack(records: Sequence[Any]) -> Any:
    """Return one dataclass with the rows of all; single numbers are those of the first.

    Axes behind the first are padded with zeros at their end to the longest.
    """
    columns = zip(*(tensors_of(record) for record in records), strict=True)
    return _with_tensors(records[0], iter([_stacked(column) for column in columns]))


def _stacked(parts: Sequence[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    if not present or present[0].ndim == 0:
        return parts[0]
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in present), strict=True)]
    return torch.cat([F.pad(part, _missing(part, shape)) for part in present])


def _missing(part: Tensor, shape: Sequence[int]) -> list[int]:
    """Return what ``pad`` adds to make the axes behind the first as long as ``shape``."""
    pairs = zip(reversed(part.shape[1:]), reversed(shape), strict=True)
    return [amount for own, wanted in pairs for amount in (0, wanted - own)]


def _with_tensors(record: Any, tensors: Iterator[Tensor | None]) -> Any:
    if not is_dataclass(record) or isinstance(record, type):
        return next(tensors)
    names = [field.name for field in fields(record)]
    return replace(record, **{n: _with_tensors(getattr(record, n), tensors) for n in names})


def _as_leaves(record: Any) -> Any:
    """Return the same tensors as the beginning of a graph."""
    detached = [
        tensor.detach().requires_grad_(tensor.is_floating_point()) if tensor is not None else None
        for tensor in tensors_of(record)
    ]
    return _with_tensors(record, iter(detached))


def _backward(
    outputs: Sequence[Tensor | None],
    gradients: Sequence[Tensor | None],
    row: list[int],
    *,
    last: bool,
) -> None:
    """Send this part's rows of the gradients back; ``row`` counts the rows that have been sent."""
    trained, sent = [], []
    for place, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        if output is None:
            continue
        first = row[place]
        row[place] += len(output) if output.ndim else 0
        if not output.requires_grad:
            continue
        if gradient is None or (output.ndim == 0 and not last):
            # the parameters behind it still take part, as they do in a distributed big batch
            own = torch.zeros_like(output)
        elif output.ndim == 0:
            own = gradient
        else:
            own = gradient[first : row[place]][tuple(map(slice, (len(output), *output.shape[1:])))]
        trained.append(output)
        sent.append(own)
    torch.autograd.backward(trained, sent)


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
