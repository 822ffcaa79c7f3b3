"""Records of tensors, such as the outputs of a model: taken apart, and stacked row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


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
    return with_tensors(records[0], iter([_stacked(column) for column in columns]))


def _stacked(parts: Sequence[Tensor | None]) -> Tensor | None:
    known = [part for part in parts if part is not None]
    if not known or known[0].ndim == 0:
        return parts[0]
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in known), strict=True)]
    return torch.cat([F.pad(part, _missing(part, shape)) for part in known])


def _missing(part: Tensor, shape: Sequence[int]) -> list[int]:
    """Return what ``pad`` adds to make the axes behind the first as long as ``shape``."""
    pairs = zip(reversed(part.shape[1:]), reversed(shape), strict=True)
    return [amount for own, wanted in pairs for amount in (0, wanted - own)]


def with_tensors(record: Any, tensors: Iterator[Tensor | None]) -> Any:
    """Return a record with other tensors, in the order of `tensors_of`."""
    if not is_dataclass(record) or isinstance(record, type):
        return next(tensors)
    names = [field.name for field in fields(record)]
    return replace(record, **{n: with_tensors(getattr(record, n), tensors) for n in names})
