"""Parameter groups, in which every trainable parameter stands exactly once."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from cinelex.config.optimizer_schema import OptimizerConfig, PartOptimizer
from cinelex.core.errors import UserError
from cinelex.core.names import covered
from cinelex.models.trunks import pretrained_names

SCALARS_OF_PAIRS = ("temperature.log_temperature", "bias")
"""Scalars of the contrastive loss: their own learning rate, and no decay."""
KINDS = ("matrices", "vectors", "temperature")


@dataclass(frozen=True)
class Group:
    """Parameters that share a learning rate and a weight decay."""

    name: str
    names: tuple[str, ...]
    """Names in the model, in its order."""
    weight_decay: float
    """Share of the weight that is taken off per unit of learning rate."""
    rate_factor: float
    """Multiplies the scheduled learning rate."""
    begin: int = 0
    """Optimizer steps before it moves at all."""
    muon: bool = False
    """Whether Muon moves it."""


def parameter_groups(model: nn.Module, config: OptimizerConfig) -> list[Group]:
    """Sort the trainable parameters into matrices, vectors and the scalars of the loss.

    Matrices decay; gains, biases, positions and single numbers do not. Parts with a rate, a decay
    or a beginning of their own, and what came pretrained, are groups of their own.

    Raises:
        UserError: ``optimizer.parts`` names what the model does not have, or what does not train.
    """
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    _check_parts(model, trained, config.parts)
    pretrained = pretrained_names(model)
    factors = _layer_factors(list(trained), config.parts)
    linear = _linear_in_blocks(model) if config.name == "muon" else set()
    sorted_in: dict[tuple[str, float, float, int, bool], list[str]] = {}
    for name, parameter in trained.items():
        part = _part_of(name, config.parts)
        kind = _kind(name, parameter.ndim)
        decay = 0.0
        if kind == "matrices":
            own = part.weight_decay
            decay = config.weight_decay if own is None else own
        factor = _peak(name, kind, part, config, pretrained) / config.learning_rate
        muon = name in linear or _by_muon(name, kind, part, pretrained)
        key = (kind, decay, factor * factors.get(name, 1.0), part.frozen_steps, muon)
        sorted_in.setdefault(key, []).append(name)
    return [
        Group(kind, tuple(names), decay, factor, begin, muon)
        for kind in KINDS
        for (own, decay, factor, begin, muon), names in sorted_in.items()
        if own == kind
    ]


def check_groups(model: nn.Module, groups: Iterable[Group]) -> None:
    """Refuse groups that miss a trainable parameter or hold one twice.

    Raises:
        ValueError: Names the parameters.
    """
    trainable = {name for name, weight in model.named_parameters() if weight.requires_grad}
    grouped = [name for group in groups for name in group.names]
    missing, twice = trainable - set(grouped), {name for name in grouped if grouped.count(name) > 1}
    unknown = set(grouped) - trainable
    if missing or twice or unknown:
        raise ValueError(
            f"optimizer groups: missing {sorted(missing)}, twice {sorted(twice)}, "
            f"not trainable {sorted(unknown)}"
        )


def group_lines(model: nn.Module, config: OptimizerConfig) -> list[str]:
    """Return a table of the optimizer groups: size, peak learning rate, decay, first step."""
    weights = dict(model.named_parameters())
    frozen = _tops(name for name, weight in weights.items() if not weight.requires_grad)
    head = f"{'group':<12}{'tensors':>8}{'parameters':>14}{'peak lr':>11}{'decay':>8}"
    lines = [f"{head}{'from step':>11}  optimizer  modules"]
    for group in parameter_groups(model, config):
        numbers = sum(weights[name].numel() for name in group.names)
        rate = config.learning_rate * group.rate_factor
        lines.append(
            f"{group.name:<12}{len(group.names):>8}{numbers:>14,}{rate:>11.3g}"
            f"{group.weight_decay:>8.3g}{group.begin + 1:>11}  "
            f"{'muon' if group.muon else 'adamw':<9}  {', '.join(_tops(group.names))}"
        )
    if frozen:
        numbers = sum(w.numel() for w in weights.values() if not w.requires_grad)
        lines.append(f"{'frozen':<12}{'':>8}{numbers:>14,}{'':>43}{', '.join(frozen)}")
    return lines


def _tops(names: Iterable[str]) -> list[str]:
    """Return the modules, at most two deep, that parameters stand in, each once."""
    modules = (name.rpartition(".")[0] or name for name in names)
    return list(dict.fromkeys(".".join(module.split(".")[:2]) for module in modules))


def _kind(name: str, dimensions: int) -> str:
    if name in SCALARS_OF_PAIRS:
        return "temperature"
    return "matrices" if dimensions >= 2 and "position" not in name else "vectors"


def _by_muon(name: str, kind: str, part: PartOptimizer, pretrained: set[str]) -> bool:
    asked = part.muon_learning_rate is not None
    return asked and kind == "matrices" and name not in pretrained


def _peak(
    name: str, kind: str, part: PartOptimizer, config: OptimizerConfig, pretrained: set[str]
) -> float:
    """Return the peak learning rate of a parameter."""
    if kind == "temperature":
        return config.temperature_learning_rate
    if part.muon_learning_rate is not None and _by_muon(name, kind, part, pretrained):
        return part.muon_learning_rate
    if part.learning_rate is not None:
        return part.learning_rate
    if name in pretrained:
        return min(config.pretrained_learning_rate, config.learning_rate)
    return config.learning_rate


def _part_of(name: str, parts: Mapping[str, PartOptimizer]) -> PartOptimizer:
    """Return what is said of a parameter: by the longest name that it stands below."""
    fitting = [key for key in parts if covered(name, [key])]
    return parts[max(fitting, key=len)] if fitting else PartOptimizer()


def _check_parts(
    model: nn.Module, trained: Mapping[str, nn.Parameter], parts: Mapping[str, PartOptimizer]
) -> None:
    there = [name for name, _ in model.named_modules() if name] + list(trained)
    for key in parts:
        if vars(model).get(key, key) is None:
            continue  # a part of this kind of model that this one was built without
        if key not in there:
            tops = [name for name, part in model.named_children() if list(part.parameters())]
            raise UserError(
                f"optimizer.parts.{key}: the model has no such part; there are {', '.join(tops)}, "
                "and whatever stands in them"
            )
        if not any(covered(name, [key]) for name in trained):
            raise UserError(f"optimizer.parts.{key}: nothing in it trains; leave it out")


def _layer_factors(names: Sequence[str], parts: Mapping[str, PartOptimizer]) -> dict[str, float]:
    """Return the factor of each parameter in a part whose rate falls towards the input."""
    factors: dict[str, float] = {}
    for key, part in parts.items():
        if part.layer_decay == 1.0:
            continue
        own = [name for name in names if covered(name, [key])]
        levels = levels_of(own)
        last = max(levels.values(), default=0)
        factors |= {name: part.layer_decay ** (last - level) for name, level in levels.items()}
    return factors


def levels_of(names: Sequence[str]) -> dict[str, int]:
    """Return how far from the input each parameter is, in blocks.

    A block is what is numbered first in a name; what stands before the first of them is a level,
    and so is what stands behind them.
    """
    levels: dict[str, int] = {}
    seen: dict[str, int] = {}
    level = -1
    before = "?"
    for name in names:
        found = re.match(r"(?:[^.]*[^.\d][^.]*\.)*\d+(?=\.|$)", name)
        block = found.group() if found else ""
        if block != before and (not block or block not in seen):
            level += 1
        if block:
            seen.setdefault(block, level)
        levels[name] = seen[block] if block else level
        before = block
    return levels


def _linear_in_blocks(model: nn.Module) -> set[str]:
    """Return the names of the matrices that Muon is made for: of linear layers in blocks."""
    return {
        f"{name}.weight"
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear) and re.search(r"\.\d+(\.|$)", name)
    }
