"""The loss terms on held-out studies, each beside its chance and its controls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
import torch

from cinelex.core.distributed import world_size
from cinelex.data.batch import Batch
from cinelex.data.loader import whole_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.bigram import Bigram
from cinelex.metrics.nulls import captioning_unigram
from cinelex.projects.interface.project import Project
from cinelex.projects.interface.results import Group, headline
from cinelex.projects.interface.terms import Term
from cinelex.projects.studies.encoding import device_of
from cinelex.projects.studies.project import StudyModelT


def held_out_numbers(
    project: Project[Batch, StudyModelT],
    model: StudyModelT,
    dataset: StudyDataset,
    *,
    batch: int,
) -> dict[str, float]:
    """Return the terms that have a chance, each beside it, for the record of a validation."""
    if len(dataset) < max(2, world_size()):
        return {}
    value, chance = _measured(project, model, dataset, batch=batch)
    both = [name for name in value if name in chance]
    losses = {f"losses/{name}": value[name] for name in both}
    return losses | {f"losses/{name}/chance": chance[name] for name in both}


def held_out_losses(
    project: Project[Batch, StudyModelT],
    model: StudyModelT,
    known: Mapping[str, Term],
    dataset: StudyDataset,
    train: StudyDataset,
    *,
    batch: int,
) -> Group:
    """Return the terms of ``known`` that have a chance: means over whole global batches.

    Captioning has three more nulls: ``unigram``, the entropy of the training reports' tokens,
    ``bigram``, the cost of knowing the token before and no study, and ``other_studys_video``, the
    loss when every report is read beside the videos of its neighbour in the batch: a captioner
    that looks must lose by that.
    """
    title = "Held-out losses"
    if len(dataset) < world_size():
        return Group(title=title, note="Undefined: fewer studies than processes.", scores=[])
    value, chance = _measured(project, model, dataset, batch=batch, controls=True)
    # a single study has nothing to be told from
    alone = [name for name, term in known.items() if term.matches and len(dataset) < 2]
    beside = {name: {"chance": chance[name]} for name in value if name in chance}
    if "captioning" in beside:
        beside["captioning"] |= {
            "unigram": captioning_unigram(_token_counts(train)),
            "bigram": _bigram(train).cost(_tokens(dataset)),
            **{key: value[key] for key in ("other_studys_video",) if key in value},
        }
    scores = [
        headline(
            f"losses.{name}",
            known[name].label,
            None if name in alone else value[name],
            nulls,
            unit=known[name].unit,
            better=known[name].better,
        )
        for name, nulls in beside.items()
    ]
    note = f"Unweighted, over whole batches of {batch} held-out studies."
    return Group(title=title, note=note, scores=scores)


@torch.no_grad()
def _measured(
    project: Project[Batch, StudyModelT],
    model: StudyModelT,
    dataset: StudyDataset,
    *,
    batch: int,
    controls: bool = False,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean of each term over whole batches, and of each chance.

    ``controls`` adds the caption loss with every report beside its neighbour's videos.
    """
    device, rows = device_of(model), list[dict[str, float]]()
    chances: list[dict[str, float]] = []
    for studies in whole_batches(dataset, batch=batch):
        nulls = project.nulls(studies).items()
        chances.append({name: null.chance for name, null in nulls if null.chance is not None})
        studies = studies.to(device)
        found = project.terms(model, studies)
        row = {name: float(value) for name, value in found.items()}
        # where a chance is that of what a model itself says of the batch
        known = project.statistics()
        asked = {name: known.get(f"chance/{name}") for name in found}
        chances[-1] |= {name: float(null) for name, null in asked.items() if null is not None}
        if controls and "captioning" in found and studies.studies > 1:
            texts = studies.text_features
            turned = replace(
                studies,
                token_ids=studies.token_ids.roll(1, dims=0),
                text_features=None if texts is None else texts.roll(1, dims=0),
            )
            row["other_studys_video"] = float(project.terms(model, turned)["captioning"])
        rows.append(row)
    return _means(rows), _means(chances)


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(row[name] for row in rows) for name in rows[0]}


def _tokens(dataset: StudyDataset) -> list[list[int]]:
    return [token_ids.tolist() for token_ids in dataset.token_ids]


def _bigram(train: StudyDataset) -> Bigram:
    return Bigram.of(_tokens(train), vocabulary=train.tokenizer.vocab_size)


def _token_counts(train: StudyDataset) -> np.ndarray:
    """Count the tokens that the caption loss asks for: all but the first of each report."""
    counts = np.zeros(train.tokenizer.vocab_size, dtype=np.int64)
    for token_ids in train.token_ids:
        np.add.at(counts, token_ids[1:], 1)
    return counts
