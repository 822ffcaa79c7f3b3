"""What probes and floors say of every study, in the units that scores are computed in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.data.loader import Samples, evaluation_batches
from cinelex.data.video.transforms import to_float
from cinelex.losses.probing import Head
from cinelex.metrics.target_ridge import target_ridge
from cinelex.models.packing import rows_of
from cinelex.models.probes import Probes
from cinelex.projects.probing.targets import Target, Targets
from cinelex.projects.studies.encoding import device_of

Said = Sequence[Float[np.ndarray, "..."]]
"""By head: a probability of the second class, a probability a class, an expected grade, or a number
in the target's unit."""


@torch.no_grad()
def probe_outputs(
    model: Probes, samples: Samples, *, batch: int, views: int | None = None
) -> Float[Tensor, "study probe output"]:
    """Return what every probe says of every study, in order, on every rank.

    Args:
        model: In evaluation mode.
        samples: The studies.
        batch: Studies at once; the result does not depend on it.
        views: Look only at the first so many clips of each; None looks at all.
    """
    device = device_of(model)

    def said(part: Batch) -> Float[Tensor, "study probe output"]:
        clips, owner, features = part.clips, part.owner, part.features
        if views is not None:
            first = rows_of(owner, studies=part.studies).cumsum(0)
            place = torch.arange(len(owner)) - torch.cat([first.new_zeros(1), first[:-1]])[owner]
            chosen = place < views
            clips, owner = clips[chosen], owner[chosen]
            features = None if features is None else features[chosen]
        found: Float[Tensor, "study probe output"] = model(
            to_float(clips).to(device),
            owner.to(device),
            studies=part.studies,
            features=None if features is None else features.to(device),
        )
        return found.float().cpu()

    rows = [said(part) for part in evaluation_batches(samples, batch=batch)]
    if not rows:
        some = said(next(evaluation_batches(samples, batch=1, rank=0, world_size=1)))
        rows = [some[:0]]
    return gather_rows(torch.cat(rows))


def said_of(targets: Targets, outputs: Float[Tensor, "study output"]) -> Said:
    """Return probabilities, grades and numbers from the outputs of one probe."""
    parts = outputs.split([head.outputs for head in targets.heads], dim=1)
    return [_said(target, part) for target, part in zip(targets.targets, parts, strict=True)]


def _said(target: Target, outputs: Float[Tensor, "study output"]) -> Float[np.ndarray, "study *_"]:
    if target.kind == "regression":
        return np.asarray(outputs[:, 0].numpy() * target.deviation + target.mean, float)
    if target.kind == "multiclass":
        return np.asarray(outputs.softmax(dim=1).numpy(), float)
    return np.asarray(outputs.sigmoid().sum(dim=1).numpy(), float)


def prior_said(targets: Targets, studies: int) -> Said:
    """Return what knowing the training studies alone says of every study."""
    prior = torch.tensor([number for head in targets.heads for number in head.prior])
    return said_of(targets, prior.expand(studies, -1))


@dataclass(frozen=True, kw_only=True)
class Solved:
    """The rows that a floor is solved on, and those that it is asked for."""

    train: Float[np.ndarray, "_ _"]
    validation: Float[np.ndarray, "_ _"]
    test: Float[np.ndarray, "_ _"]


def ridge_said(
    targets: Targets, solved: Solved, values: Float[np.ndarray, "row head"]
) -> tuple[Said, Said]:
    """Return what ridge regression says of validation and test studies, head by head.

    Args:
        targets: What is asked.
        solved: The inputs.
        values: The targets of its training rows; NaN where open.
    """
    queries, first = np.concatenate([solved.validation, solved.test]), len(solved.validation)
    found = []
    for n, (target, head) in enumerate(zip(targets.targets, targets.heads, strict=True)):
        known = np.isfinite(values[:, n])
        wanted = _columns(target, head, values[known, n])
        guess = target_ridge(solved.train[known], wanted, queries)
        found.append(guess if target.kind == "multiclass" else guess.sum(axis=1))
    return [rows[:first] for rows in found], [rows[first:] for rows in found]


def _columns(
    target: Target, head: Head, values: Float[np.ndarray, " row"]
) -> Float[np.ndarray, "row column"]:
    if target.kind == "regression":
        return values[:, None]
    if target.kind == "multiclass":
        return np.eye(head.outputs)[values.astype(int)]
    return (values[:, None] > np.arange(head.outputs)).astype(float)


def rows_of_batches(
    inputs: Callable[[Batch], Float[Tensor, "study number"]], samples: Samples, *, batch: int
) -> Float[np.ndarray, "study number"]:
    """Return a row a study, in order, on every rank."""
    one = inputs(next(evaluation_batches(samples, batch=1, rank=0, world_size=1)))
    rows = [one[:0], *(inputs(part) for part in evaluation_batches(samples, batch=batch))]
    return gather_rows(torch.cat(rows).float().cpu()).numpy()


def by_probe(names: Sequence[str], outputs: Tensor, targets: Targets) -> Mapping[str, Said]:
    """Return what each probe says, by its name."""
    return {name: said_of(targets, outputs[:, n]) for n, name in enumerate(names)}
