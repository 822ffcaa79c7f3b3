"""What the heads of a probe are asked for: columns of the manifest, and facts of the reports."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import ProbingConfig, RunConfig, TargetConfig
from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.losses.probing import Head, Kind, head_losses
from cinelex.metrics.facts.targets import columns_of, fact_targets
from cinelex.metrics.facts.vocabulary import Attribute, vocabulary
from cinelex.projects.studies.data import StudyData

EDGE = 0.01
"""Shares of the training studies nearer to 0 or 1 are taken for this in a prior."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One target of every study of all splits."""

    name: str
    kind: Kind
    values: Float[np.ndarray, " study"]
    """0 or 1, a class, a grade, or a number in the target's unit; NaN where a study leaves it
    open."""
    classes: Sequence[str] = ()
    unit: str = ""
    mean: float = 0.0
    """Of a number, over the training studies."""
    deviation: float = 1.0

    def numbers(self) -> Float[np.ndarray, " study"]:
        """Return what the loss compares: numbers standardised, classes as they are."""
        regression = self.kind == "regression"
        return (self.values - self.mean) / self.deviation if regression else self.values


@dataclass(frozen=True)
class Targets:
    """All targets, in the order of the heads."""

    targets: tuple[Target, ...]
    heads: tuple[Head, ...]
    row: Mapping[str, int]
    """The place of each study, by its id."""
    table: Float[Tensor, "study head"]
    """What the loss compares."""

    def of(self, ids: Sequence[str], device: torch.device) -> Float[Tensor, "study head"]:
        """Return what the loss compares of some studies."""
        rows = self.table[[self.row[name] for name in ids]]
        return rows.to(device, non_blocking=True)

    def values(self, ids: Sequence[str]) -> Float[np.ndarray, "study head"]:
        """Return the targets of some studies in their own units; NaN where open."""
        places = [self.row[name] for name in ids]
        return np.stack([target.values[places] for target in self.targets], axis=1)


def read_targets(config: RunConfig, data: StudyData) -> Targets:
    """Return the targets that enough training studies state, and say which are left out.

    Raises:
        UserError: A column holds what its kind is not, or no target is left.
    """
    splits = [data.train, *(s for s in (data.validation, data.test) if s is not None)]
    ids = [name for split in splits for name in split.studies.ids]
    reports = [report for split in splits for report in split.studies.reports]
    cells = _cells([split.studies.extra() for split in splits])
    train = len(data.train)
    asked, found = config.probing, list[Target]()
    found += [_of_column(name, one, cells, train) for name, one in asked.targets.items()]
    if asked.facts != "none":
        found += _of_facts(config, reports)
    kept = [target for target in found if _is_stated(target, asked, train)]
    left_out = [target.name for target in found if target not in kept]
    if left_out:
        say(
            f"probing: {len(left_out)} of {len(found)} targets are stated by fewer than "
            f"{asked.min_studies} training studies, or always alike, and left out: "
            f"{', '.join(left_out[:8])}{' …' if len(left_out) > 8 else ''}"
        )
    if not kept:
        raise UserError(
            "probing: no target is left; name columns of the manifest in probing.targets, set "
            "probing.facts, or lower probing.min_studies"
        )
    scaled = tuple(_scaled(target, train) for target in kept)
    numbers = np.stack([target.numbers() for target in scaled], axis=1).astype(np.float32)
    heads = tuple(_head(target, train) for target in scaled)
    row = {name: place for place, name in enumerate(ids)}
    return Targets(scaled, heads, row, torch.from_numpy(numbers))


def _cells(parts: Sequence[Mapping[str, Sequence[str]]]) -> dict[str, list[str]]:
    names = parts[0].keys()
    return {name: [cell or "" for part in parts for cell in part[name]] for name in names}


def _of_column(
    name: str, asked: TargetConfig, cells: Mapping[str, Sequence[str]], train: int
) -> Target:
    column = cells[asked.column or name]
    key = f"probing.targets.{name}"
    if asked.kind == "regression" or asked.above is not None:
        numbers = _numbers(column, key)
        if asked.above is None:
            return Target(name=name, kind="regression", values=numbers)
        above = np.where(np.isfinite(numbers), (numbers > asked.above).astype(float), np.nan)
        return Target(name=name, kind="binary", values=above)
    spelled = {_plain(cell): cell.strip() for cell in sorted(column[:train], reverse=True)}
    classes = asked.classes or sorted(name for plain, name in spelled.items() if plain)
    if asked.kind == "binary" and len(classes) != 2:
        raise UserError(
            f"{key}: a binary target has two classes, and the column has {len(classes)} different "
            f"cells; name them in {key}.classes, or use above or another kind"
        )
    if asked.kind == "ordinal" and not asked.classes:
        _numbers(classes, f"{key}.classes is empty, so")
        classes = sorted(classes, key=float)
    place = {_plain(one): float(number) for number, one in enumerate(classes)}
    values = np.array([place.get(_plain(cell), np.nan) for cell in column])
    others = int(np.isnan(values).sum()) - sum(not _plain(cell) for cell in column)
    if others:
        say(f"probing: {name}: {others} of {len(column)} cells are none of its classes; masked")
    return Target(name=name, kind=asked.kind, values=values, classes=classes)


def _plain(cell: str) -> str:
    """Return a cell as classes are compared: "Yes " is "yes"."""
    return " ".join(cell.split()).casefold()


def _numbers(column: Sequence[str], key: str) -> Float[np.ndarray, " study"]:
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in column])
    except ValueError:
        raise UserError(f"{key}: the column holds a cell that is not a number") from None


def _of_facts(config: RunConfig, reports: Sequence[str]) -> Iterator[Target]:
    """Yield presence of extents, their amount, numbers, presences and choices, as targets."""
    words = vocabulary(config.probing.facts)
    ends = fact_targets(reports, words, silence=config.facts.silence)
    middle = ends.mean(axis=-1).astype(np.float64)
    columns = columns_of(words)
    for attribute in words.attributes:
        own = [n for n, column in enumerate(columns) if column.attribute == attribute.name]
        if attribute.kind == "choice":
            yield _choice(attribute, middle[:, own])
            continue
        for n in own:
            column, values = columns[n], middle[:, n]
            whole = len(own) == 1
            name = attribute.name if whole else f"{attribute.name}_{column.place}"
            if column.part == "value" or attribute.kind == "number":
                amount = f"{name}_amount" if column.part == "value" else name
                yield Target(name=amount, kind="regression", values=values, unit=attribute.unit)
            else:
                there = np.where(np.isfinite(values), (values > 0).astype(float), np.nan)
                yield Target(name=name, kind="binary", values=there)


def _choice(attribute: Attribute, chosen: Float[np.ndarray, "study choice"]) -> Target:
    known = np.isfinite(chosen).all(axis=1)
    values = np.where(known, np.nan_to_num(chosen).argmax(axis=1).astype(float), np.nan)
    kind: Kind = "binary" if chosen.shape[1] == 2 else "multiclass"
    return Target(name=attribute.name, kind=kind, values=values, classes=attribute.choices)


def _is_stated(target: Target, asked: ProbingConfig, train: int) -> bool:
    stated = target.values[:train]
    stated = stated[np.isfinite(stated)]
    if len(stated) < asked.min_studies:
        return False
    _, counts = np.unique(stated, return_counts=True)
    if target.kind == "binary":
        return len(counts) == 2 and bool(counts.min() >= asked.min_studies / 4)
    return len(counts) > 1


def _scaled(target: Target, train: int) -> Target:
    if target.kind != "regression":
        return target
    stated = target.values[:train]
    mean, deviation = float(np.nanmean(stated)), float(np.nanstd(stated))
    return Target(**{**vars(target), "mean": mean, "deviation": deviation})


def _head(target: Target, train: int) -> Head:
    """Return the head of a target, with the outputs that know the training studies alone."""
    stated = target.values[:train]
    stated = stated[np.isfinite(stated)]
    if target.kind == "regression":
        return Head(kind="regression", outputs=1, prior=(0.0,), prior_loss=1.0)
    if target.kind == "multiclass":
        counts = np.bincount(stated.astype(int), minlength=len(target.classes))
        prior = tuple(np.log((counts + 0.5) / (counts + 0.5).sum()).tolist())
    else:
        steps = 1 if target.kind == "binary" else len(target.classes) - 1
        shares = [float(np.mean(stated > step)) for step in range(steps)]
        clipped = np.clip(shares, EDGE, 1 - EDGE)
        prior = tuple(np.log(clipped / (1 - clipped)).tolist())
    outputs = torch.tensor(prior).expand(len(stated), -1)
    losses = head_losses(target.kind, outputs, torch.from_numpy(stated.astype(np.float32)))
    return Head(kind=target.kind, outputs=len(prior), prior=prior, prior_loss=float(losses.mean()))
