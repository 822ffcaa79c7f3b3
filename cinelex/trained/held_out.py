"""How often an exported model finds the right report of a run's own held-out studies."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from cinelex.data.loader import Samples, evaluation_batches
from cinelex.metrics.bootstrap import Groups
from cinelex.metrics.retrieval import retrieval_report
from cinelex.trained.engines import Engine


@dataclass(frozen=True)
class Found:
    """What one engine scores."""

    studies: int
    recall_at_1: Mapping[str, float | None]
    """Study to report: value, chance and the ends of its interval."""
    differs: float
    """Largest difference of a number of a unit row from the first engine's."""


def measure(
    engines: Mapping[str, Engine],
    test: Samples,
    *,
    batch: int,
    resamples: int,
    seed: int,
    patients: Groups,
) -> dict[str, Found]:
    """Return what each engine scores on the same studies; the first is what others differ from.

    Intervals draw the ``patients`` of the studies.
    """
    rows: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in engines}
    groups: list[Tensor] = []
    for part in evaluation_batches(test, batch=batch):
        clips = list(part.clips.split(list(part.clip_counts)))
        groups.append(part.report_group)
        mask = part.token_ids != test.tokenizer.pad_id
        for name, engine in engines.items():
            rows[name].append((engine.studies(clips), engine.reports(part.token_ids, mask)))
    _, first, own = unique_reports(torch.cat(groups))
    found: dict[str, Found] = {}
    base: Tensor | None = None
    for name, parts in rows.items():
        study, report = (torch.cat(one) for one in zip(*parts, strict=True))
        base = torch.cat([study, report]) if base is None else base
        scores = retrieval_report(
            study, report[first], own, groups=patients, resamples=resamples, seed=seed
        )
        entry = scores["study_to_report"]["recall_at_1"]
        differs = float((torch.cat([study, report]) - base).abs().max())
        found[name] = Found(len(study), entry, differs)  # type: ignore[arg-type]
    return found


def unique_reports(groups: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the groups, the first study of each, and the place of each study's own."""
    names, own = groups.unique(return_inverse=True)
    first = torch.stack([(own == place).nonzero()[0, 0] for place in range(len(names))])
    return names, first, own
