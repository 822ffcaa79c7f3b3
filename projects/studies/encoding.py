"""Embeddings of a whole split: every rank encodes its share, and every rank gets all rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.data.features.store import FeatureStore, text_key
from cinelex.data.loader import Samples, evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.models.study_model import EncodedStudies, Kept, StudyModel
from cinelex.models.views import Shown


@dataclass(frozen=True)
class EncodedSplit:
    """The studies and the unique reports of a split, in the data set's order; on the CPU."""

    study: Float[Tensor, "study dim"]
    """Unit rows."""
    report: Float[Tensor, "unique dim"]
    """Unit rows, one a unique report, by first appearance."""
    report_of_study: Int[Tensor, " study"]
    """The row in ``report`` of each study's own report."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and back into the mode that it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def first_indices(dataset: StudyDataset) -> list[int]:
    """Return the index of the first study with each report, by first appearance."""
    return sorted(np.unique(dataset.report_groups, return_index=True)[1].tolist())


def first_of_each_report(dataset: StudyDataset, *, max_studies: int) -> StudyDataset:
    """Return up to ``max_studies`` studies, in order, no two with the same report."""
    chosen = StudyDataset(
        dataset.studies.take(first_indices(dataset)[:max_studies]),
        dataset.store,
        dataset.tokenizer,
        sampling=dataset.sampling,
        max_videos=dataset.max_videos,
        seed=dataset.seed,
        views=dataset.views,
    )
    chosen.kept_clips, chosen.kept_texts = dataset.kept_clips, dataset.kept_texts
    chosen.pixels_evaluated = dataset.pixels_evaluated
    return chosen


def device_of(model: nn.Module) -> torch.device:
    """Return where a model runs; parts of one on a device may wait in the memory of the host."""
    devices = (parameter.device for parameter in model.parameters())
    return next((found for found in devices if found.type != "cpu"), torch.device("cpu"))


def kept_of(batch: Batch) -> Kept:
    """Return what is known of a batch beside pixels and tokens."""
    shown = Shown(batch.views, batch.angles)
    return Kept(batch.features, batch.text_features, shown, batch.text_buckets)


def encode_batch(model: StudyModel, batch: Batch) -> EncodedStudies:
    """Encode the videos of a batch, unchanged by augmentation."""
    return model.encode_study(
        to_float(batch.clips),
        batch.owner,
        studies=batch.studies,
        max_clips=max(batch.clip_counts),
        kept=kept_of(batch),
    )


@torch.no_grad()
def encode_split(model: StudyModel, dataset: StudyDataset, *, batch: int) -> EncodedSplit:
    """Encode every study of ``dataset`` with all its videos, and every unique report once.

    Args:
        model: The trained module, in evaluation mode.
        dataset: The studies.
        batch: Studies at once; the result does not depend on it.
    """
    return EncodedSplit(
        study=encode_studies(model, dataset, batch=batch),
        report=encode_reports(model, dataset, batch=batch),
        report_of_study=torch.from_numpy(dataset.report_groups),
    )


@torch.no_grad()
def encode_studies(
    model: StudyModel, dataset: Samples, *, batch: int
) -> Float[Tensor, "study dim"]:
    """Return one unit row a study, in the data set's order; on the CPU."""
    device = device_of(model)
    rows = [
        encode_batch(model, studies.to(device)).study.cpu()
        for studies in evaluation_batches(dataset, batch=batch)
    ]
    return gather_rows(torch.cat(rows) if rows else torch.zeros(0, model.dim))


@torch.no_grad()
def encode_reports(
    model: StudyModel, dataset: StudyDataset, *, batch: int
) -> Float[Tensor, "unique dim"]:
    """Return one unit row a unique report, by first appearance; on the CPU, on every rank.

    Reports are short: every rank encodes them all, which costs less than sharing them out.
    """
    texts = [torch.from_numpy(dataset.token_ids[index]) for index in first_indices(dataset)]
    pad_id = dataset.tokenizer.pad_id
    return encode_texts(model, texts, pad_id=pad_id, kept=dataset.kept_texts, batch=batch)


@torch.no_grad()
def encode_texts(
    model: StudyModel,
    texts: Sequence[Int[Tensor, " _"]],
    *,
    pad_id: int,
    kept: FeatureStore | None,
    batch: int,
) -> Float[Tensor, "text dim"]:
    """Return one unit row a text; on the CPU.

    Args:
        model: The trained module, in evaluation mode.
        texts: Tokens of each.
        pad_id: The tokenizer's padding.
        kept: What a frozen text tower made of each.
        batch: Texts at once.
    """
    device, rows = device_of(model), [torch.zeros(0, model.dim)]
    for start in range(0, len(texts), batch):
        some = list(texts[start : start + batch])
        padded = pad_sequence(some, batch_first=True, padding_value=pad_id).to(device)
        features = None
        if kept is not None:
            read = [kept.read(text_key(text)) for text in some]
            features = pad_sequence(read, batch_first=True).to(device)
        rows.append(model.encode_report(padded, padded != pad_id, features).report.cpu())
    return torch.cat(rows)
