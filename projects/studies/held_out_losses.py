"""The loss terms on held-out studies, each beside its chance and its controls."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from cinelex.data.batch import Batch
from cinelex.data.loader import whole_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.bigram import Bigram
from cinelex.metrics.nulls import captioning_unigram

Terms = Callable[[Batch], Mapping[str, Tensor]]


@torch.no_grad()
def held_out_losses(
    terms: Terms,
    chances: Callable[[Batch], Mapping[str, float]],
    dataset: StudyDataset,
    train: StudyDataset,
    *,
    batch: int,
    device: torch.device,
) -> dict[str, dict[str, float]]:
    """Return the ``losses`` part of results.json: means over whole global batches.

    Captioning has three more nulls: ``unigram``, the entropy of the training reports' words,
    ``bigram``, the cost of knowing the word before and no study, and ``other_studys_video``, the
    loss when every report is read beside the videos of its neighbour in the batch: a captioner
    that looks must lose by that.
    """
    rows: list[dict[str, float]] = []
    for studies in whole_batches(dataset, batch=batch):
        row = dict(chances(studies))
        studies = studies.to(device)
        found = terms(studies)
        row |= {name: float(value) for name, value in found.items()}
        if "captioning" in found and studies.studies > 1:
            turned = replace(studies, token_ids=studies.token_ids.roll(1, dims=0))
            row["other_studys_video"] = float(terms(turned)["captioning"])
        rows.append(row)
    mean = {name: fmean(row[name] for row in rows) for name in rows[0]}
    names = [name for name in mean if f"chance/{name}" in mean]
    losses = {name: {"value": mean[name], "chance": mean[f"chance/{name}"]} for name in names}
    if "captioning" in losses:
        losses["captioning"]["unigram"] = captioning_unigram(_word_counts(train))
        losses["captioning"]["bigram"] = _bigram(train).cost(_words(dataset))
        if "other_studys_video" in mean:
            losses["captioning"]["other_studys_video"] = mean["other_studys_video"]
    return losses


def _words(dataset: StudyDataset) -> list[list[int]]:
    return [token_ids.tolist() for token_ids in dataset.token_ids]


def _bigram(train: StudyDataset) -> Bigram:
    return Bigram.of(_words(train), vocabulary=train.tokenizer.vocab_size)


def _word_counts(train: StudyDataset) -> np.ndarray:
    """Count the words that the caption loss asks for: all but the first of each report."""
    counts = np.zeros(train.tokenizer.vocab_size, dtype=np.int64)
    for token_ids in train.token_ids:
        np.add.at(counts, token_ids[1:], 1)
    return counts
