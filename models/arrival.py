"""From the tensors of a file to those of a tower, and what arrived of them."""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.core.names import covered

KeyMap = Literal["order"] | dict[str, str]
"""How a file's names become a tower's: ``order`` pairs the tensors one by one and wants equal
shapes; else patterns and what stands for them, as in `re.sub`."""
COUNTER = "num_batches_tracked"
"""How the names of numbers end that count batches and are no weights."""
WRAPPED = ".base_layer"
"""What adapters add to the name of a tensor that they stand beside."""
SHOWN = 6
"""Names of a long list that are said."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What of a checkpoint arrived in the part of a tower that it is for."""

    source: str
    """The file, the folder, or a name."""
    pairs: Sequence[tuple[str, str]]
    """Name in the source and name in the tower of each tensor that arrived."""
    unused: Sequence[str] = ()
    """Tensors of the source that nothing in the tower has a place for."""
    interpolated: Mapping[str, str] = field(default_factory=dict)
    """What was fitted to another grid, and from which to which."""
    checksums: Mapping[str, int] = field(default_factory=dict)
    """Of each tensor, right after it arrived, by its name in the tower; see `checksums`."""

    def without(self, modules: Sequence[str]) -> "Arrival":
        """Return what it is when some modules are left out after all."""
        left = [pair for pair in self.pairs if not covered(pair[1], modules)]
        out = [there for there, here in self.pairs if covered(here, modules)]
        return replace(self, pairs=left, unused=[*self.unused, *out])

    def also(self, there: str, here: str, tensor: Tensor) -> "Arrival":
        """Return what it is when one tensor more was taken from the source, under a new name."""
        return replace(
            self,
            pairs=[*self.pairs, (there, here)],
            unused=[name for name in self.unused if name != there],
            checksums={**self.checksums, **checksums({here: tensor})},
        )

    def lost(self, part: nn.Module) -> list[str]:
        """Return the tensors of a part that no longer hold what arrived in them."""
        now = {name.replace(WRAPPED, ""): value for name, value in part.state_dict().items()}
        here = {name for _, name in self.pairs if name in now and name in self.checksums}
        sums = checksums({name: now[name] for name in here})
        return sorted(name for name, own in sums.items() if own != self.checksums[name])

    def lines(self) -> list[str]:
        """Return what to say of it, without the tower's fresh layers, which it does not know."""
        renamed = [pair for pair in self.pairs if pair[0] != pair[1]]
        under = "under their own names" if not renamed else "as follows"
        said = [f"{len(self.pairs)} tensors arrived from {self.source}, {under}"]
        said += [f"  {row}" for row in _rows(renamed)]
        said += [f"not used of it: {_few(self.unused)}"] if self.unused else []
        said += [f"interpolated: {name}, {way}" for name, way in self.interpolated.items()]
        return said


def arrive(
    module: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    source: str,
    key_map: KeyMap | None = None,
) -> Arrival:
    """Give every tensor of a module its value from a file.

    Args:
        module: Changed in place; all of it must be there.
        weights: What the file holds; it may hold more.
        source: What messages call the file.
        key_map: How its names become the module's.

    Raises:
        UserError: A tensor of the module is not in the file, or has another shape there.
    """
    own = _weights(module.state_dict())
    found = _by_order(weights, own, source) if key_map == "order" else _by_name(weights, key_map)
    lacking = [name for name in own if name not in found]
    if lacking:
        raise UserError(_lacks(lacking, weights, own, source=source, mapped=key_map is not None))
    for name, tensor in own.items():
        there = weights[found[name]]
        if there.shape != tensor.shape:
            raise UserError(
                f"{found[name]} is {list(there.shape)} in {source}, but {name} of the model is "
                f"{list(tensor.shape)}; choose the options that the weights were made with"
            )
    module.load_state_dict({name: weights[found[name]] for name in own}, strict=False)
    taken = {found[name] for name in own}
    unused = [name for name in weights if name not in taken and not name.endswith(COUNTER)]
    return Arrival(
        source=source,
        pairs=[(found[n], n) for n in own],
        unused=unused,
        checksums=checksums(module.state_dict()),
    )


def checksums(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Return a number of each tensor that changes with its values, by its name."""
    return {
        name: zlib.crc32(value.detach().cpu().flatten().view(torch.uint8).numpy().data)
        for name, value in tensors.items()
        if value.is_floating_point()
    }


def fits_by_order(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    """Return whether the shapes of a file's first tensors are a module's, one by one."""
    there, here = _weights(weights), _weights(own)
    shapes = [tensor.shape for tensor in there.values()][: len(here)]
    return shapes == [tensor.shape for tensor in here.values()]


def pattern_of(name: str) -> str:
    """Return a name in which every number is a star."""
    return re.sub(r"\d+", "*", name)


def _weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if not name.endswith(COUNTER)}


def _by_name(weights: Mapping[str, Tensor], key_map: KeyMap | None) -> dict[str, str]:
    """Return the name in the file of each tensor, by the name that it becomes.

    Raises:
        UserError: A pattern is none, or two tensors become one.
    """
    found: dict[str, str] = {}
    assert key_map != "order"
    for name in weights:
        new = name
        try:
            for pattern, replacement in (key_map or {}).items():
                new = re.sub(pattern, replacement, new)
        except (re.error, IndexError) as problem:
            raise UserError(f"key_map: {pattern!r}: not a regular expression ({problem})") from None
        if new in found:
            raise UserError(f"key_map: {found[new]} and {name} both become {new}")
        found[new] = name
    return found


def _by_order(
    weights: Mapping[str, Tensor], own: Mapping[str, Tensor], source: str
) -> dict[str, str]:
    """Return the name in the file of each tensor, where the shapes agree one by one.

    Raises:
        UserError: The file has fewer, or the first that does not fit.
    """
    there = _weights(weights)
    if len(there) < len(own):
        raise UserError(f"key_map: {source} has {len(there)} tensors, the model {len(own)}")
    for place, (name, wanted) in enumerate(zip(there, own, strict=False), start=1):
        if there[name].shape != own[wanted].shape:
            raise UserError(
                f"key_map: by order tensor {place} of {len(own)} does not fit: {name} "
                f"{list(there[name].shape)} against {wanted} {list(own[wanted].shape)}; "
                "map the names by patterns"
            )
    return dict(zip(own, there, strict=False))


def _lacks(
    lacking: Sequence[str],
    weights: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    *,
    source: str,
    mapped: bool,
) -> str:
    """Return what to say where tensors of a model are not in a file."""
    what = f"{source} lacks {lacking[0]}"
    what += f" and {len(lacking) - 1} more of {len(own)} tensors" if len(lacking) > 1 else ""
    if not mapped and fits_by_order(weights, own):
        return f"{what}, but in order all shapes agree; set the option key_map to order"
    first = next(iter(weights), "nothing")
    return (
        f"{what}; it belongs to another model, or its names ({first}, ...) need the option "
        "key_map: {pattern: replacement}"
    )


def _rows(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return one line for all tensors whose names differ by numbers alone."""
    counts: dict[tuple[str, str], int] = {}
    for there, here in pairs:
        key = pattern_of(there), pattern_of(here)
        counts[key] = counts.get(key, 0) + 1
    return [f"{there} -> {here}: {count}" for (there, here), count in counts.items()]


def _few(names: Sequence[str]) -> str:
    """Return names as patterns, each with how many there are, and not too many of them."""
    counts: dict[str, int] = {}
    for name in names:
        counts[pattern_of(name)] = counts.get(pattern_of(name), 0) + 1
    said = [name if count == 1 else f"{name} ({count})" for name, count in counts.items()]
    more = f" and {len(said) - SHOWN} kinds more" if len(said) > SHOWN else ""
    return f"{len(names)} tensors: " + ", ".join(said[:SHOWN]) + more
