"""What must hold of any model of studies and reports, measured on a few studies."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cinelex.data.batch import Batch
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.encoding import device_of, encode_batch
from cinelex.projects.studies.outside import outside_beam

STUDIES = 4
"""Held-out studies that are looked at: each runs three times, and a step of a large encoder takes
seconds a study on a CPU."""
PADDING = 8
"""Columns of padding that must change nothing."""

Terms = Callable[[Batch], Mapping[str, Tensor]]


@torch.no_grad()
def study_checks(
    model: StudyModel, dataset: StudyDataset, terms: Terms, *, pad_id: int
) -> dict[str, float]:
    """Return how far the model is from what must hold, by the name of the check.

    Args:
        model: The module, in evaluation mode.
        dataset: Where the studies come from.
        terms: The project's loss terms on a batch.
        pad_id: The tokenizer's padding.
    """
    batch, again = (first_studies(dataset).to(device_of(model)) for _ in range(2))
    together, alone = encode_batch(model, batch).study, _alone(model, batch)
    bias = {} if model.bias is None else {"model/bias": float(model.bias.detach())}
    return {
        **bias,
        "check/repeat": _largest(encode_batch(model, _study(again, 0)).study - alone[:1]),
        "check/absent_view": _largest(alone - together),
        **_view_dropped(model, batch, together),
        **outside_beam(model, dataset),
        **_padding(batch, terms, pad_id=pad_id),
    }


def first_studies(dataset: StudyDataset) -> Batch:
    """Return the studies that are looked at, as one batch."""
    return next(evaluation_batches(dataset, batch=STUDIES, rank=0, world_size=1))


def _alone(model: StudyModel, batch: Batch) -> Float[Tensor, "study dim"]:
    """Encode each study by itself, where no other study's views ask for padding."""
    return torch.cat([encode_batch(model, _study(batch, i)).study for i in range(batch.studies)])


def _view_dropped(
    model: StudyModel, batch: Batch, together: Float[Tensor, "study dim"]
) -> dict[str, float]:
    """Return the least 1 - cosine that leaving out the last of several views causes."""
    several = [study for study, views in enumerate(batch.clip_counts) if views > 1]
    if not several:
        return {}
    changes = []
    for study in several:
        fewer = encode_batch(model, _study(batch, study, drop_last=True)).study
        changes.append(float(1 - F.cosine_similarity(fewer, together[study : study + 1])))
    return {"check/view_dropped": min(changes)}


def _padding(batch: Batch, terms: Terms, *, pad_id: int) -> dict[str, float]:
    """Return by what share the caption loss changes when the reports get more padding."""
    length = max(2, batch.token_ids.shape[1] - PADDING)
    texts = batch.text_features
    short = replace(
        batch,
        token_ids=batch.token_ids[:, :length],
        text_features=None if texts is None else texts[:, :length],
    )
    before = terms(short)
    if "captioning" not in before:
        return {}
    texts, whole = short.text_features, texts is not None and texts.shape[1] < length
    longer = replace(
        short,
        token_ids=F.pad(short.token_ids, (0, PADDING), value=pad_id),
        text_features=texts if texts is None or whole else F.pad(texts, (0, 0, 0, PADDING)),
    )
    after = terms(longer)
    own, padded = float(before["captioning"]), float(after["captioning"])
    return {"check/padding_effect": abs(padded - own) / own}


def _study(batch: Batch, study: int, *, drop_last: bool = False) -> Batch:
    """Return one study of a batch as a batch, with or without its last view."""
    indices = (batch.owner == study).nonzero().flatten()
    indices = indices[: len(indices) - int(drop_last)]
    rows = slice(study, study + 1)
    return Batch(
        study_ids=batch.study_ids[rows],
        clips=batch.clips[indices],
        owner=torch.zeros_like(indices),
        token_ids=batch.token_ids[rows],
        report_group=batch.report_group[rows],
        patient_group=batch.patient_group[rows],
        keys=batch.keys[indices],
        clip_counts=(len(indices),),
        views=None if batch.views is None else batch.views[indices],
        angles=None if batch.angles is None else batch.angles[indices],
        features=None if batch.features is None else batch.features[indices],
        text_features=None if batch.text_features is None else batch.text_features[rows],
    )


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max())
