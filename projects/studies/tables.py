"""Tables that others read: a description of each study, and embeddings with ids and hashes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import gather_json, gather_rows
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read
from cinelex.metrics.facts.segments import spoken
from cinelex.models.study_model import StudyModel
from cinelex.projects.interface.project import Request
from cinelex.projects.interface.tables import Columns, write_csv, write_embeddings
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import device_of, encode_studies, kept_of
from cinelex.projects.studies.project import ClipTextProject

NEAREST = 3
"""Training reports that are kept of each study's ranking."""
DECIMALS = 4
"""Of a cosine in a table that people read."""


def describe(
    project: ClipTextProject[StudyData, StudyModel], model: StudyModel, request: Request
) -> Path:
    """Write ``predictions/inference.csv``: caption, facts and nearest training reports, by study.

    Nothing in it is read from the studies' own reports; they may be empty. A study of which no
    video could be read has a row too, which says why.

    Raises:
        UserError: No study has a video that can be read.
    """
    data, settings = project.data, project.config.evaluation
    described = data.described.readable()
    study = encode_studies(model, described, batch=settings.batch)
    library = encode_studies(model, data.train, batch=settings.batch)
    best = (study @ library.T).topk(min(NEAREST, len(library)))
    near = [
        data.train.studies.take(best.indices[:, rank].tolist())
        for rank in range(best.indices.shape[1])
    ]
    table: dict[str, list[Any]] = {
        "study_id": described.studies.ids,
        **described.studies.extra(),
    }
    written = project.write(model, described)
    told = near[0].reports if written is None else list(written.captions)
    if written is not None:
        table["caption"] = told
    if settings.facts == "coronary":
        table["lesions"] = [_lesions(text) for text in told]
    table |= {name: list(values) for name, values in project.columns(model, described).items()}
    for rank, studies in enumerate(near):
        table[f"nearest_{rank + 1}_study_id"] = studies.ids
        cosines = best.values[:, rank].tolist()
        table[f"nearest_{rank + 1}_cosine"] = [round(cosine, DECIMALS) for cosine in cosines]
        table[f"nearest_{rank + 1}_report"] = studies.reports
    return write_csv(data.described.rows(table, key="study_id"), request)


def embed(
    project: ClipTextProject[StudyData, StudyModel], model: StudyModel, request: Request
) -> Path:
    """Write ``embeddings.parquet``: a row a study, a clip and a report, of every split.

    With a manifest for inference it has the studies of that one alone, and no reports.

    Columns: ``kind`` (study, clip or report), ``study_id``, ``split``, ``clip`` (its number in the
    study, -1 for the other kinds), ``view`` of a clip, those of ``data.columns.subgroups``, and
    ``embedding`` (unit row). The file's metadata holds the hashes of config, data, code and
    checkpoint.

    Raises:
        UserError: No study of the manifest for inference has a video that can be read.
    """
    data, batch = project.data, project.config.evaluation.batch
    if data.described.own:
        tables = _embedding_tables(model, data.described.readable(), batch=batch)[:2]
        return write_embeddings(tables, request, data_hash=data.described.hash)
    tables = [
        table
        for dataset in (data.train, data.validation, data.test)
        if dataset is not None
        for table in _embedding_tables(model, dataset, batch=batch)
    ]
    return write_embeddings(tables, request)


@torch.no_grad()
def _embedding_tables(model: StudyModel, dataset: StudyDataset, *, batch: int) -> list[Columns]:
    device, pad = device_of(model), dataset.tokenizer.pad_id
    studies, clips, reports = [], [], []
    ids: list[str] = []
    owners: list[tuple[str, int, str]] = []
    names = ("", *dataset.views)
    for group in evaluation_batches(dataset, batch=batch):
        moved = group.to(device)
        features = model.encode_clips(to_float(moved.clips), kept_of(moved))
        most = max(group.clip_counts)
        together = model.join_clips(features, moved.owner, studies=group.studies, max_clips=most)
        each = torch.arange(len(features), device=device)
        alone = model.join_clips(features, each, studies=len(features), max_clips=1)
        text = model.encode_report(moved.token_ids, moved.token_ids != pad, moved.text_features)
        studies.append(together.study.cpu())
        clips.append(alone.study.cpu())
        reports.append(text.report.cpu())
        ids += group.study_ids
        shown = [0] * len(group.clips) if group.views is None else group.views.tolist()
        each_clip = [
            (study, clip)
            for study, count in zip(group.study_ids, group.clip_counts, strict=True)
            for clip in range(count)
        ]
        owners += [(*one, names[view]) for one, view in zip(each_clip, shown, strict=True)]
    width = model.dim
    ids = [name for part in gather_json(ids) for name in part]
    whole = [(study, -1, "") for study in ids]
    return [
        _table("study", whole, dataset, _gathered(studies, width)),
        _table(
            "clip", [o for p in gather_json(owners) for o in p], dataset, _gathered(clips, width)
        ),
        _table("report", whole, dataset, _gathered(reports, width)),
    ]


def _gathered(rows: list[Tensor], width: int) -> Float[np.ndarray, "row dim"]:
    gathered: Float[np.ndarray, "row dim"]
    gathered = gather_rows(torch.cat(rows) if rows else torch.zeros(0, width)).numpy()
    return gathered


def _table(
    kind: str,
    owners: Sequence[Sequence[Any]],
    dataset: StudyDataset,
    rows: Float[np.ndarray, "row dim"],
) -> Columns:
    ids, clips, views = zip(*owners, strict=True)
    place = {study: index for index, study in enumerate(dataset.studies.ids)}
    subgroups = dataset.studies.take([place[study] for study in ids]).extra()
    return {
        **subgroups,
        "kind": [kind] * len(ids),
        "study_id": list(ids),
        "split": [dataset.studies[0].split] * len(ids),
        "clip": np.array(clips, dtype=np.int32),
        "view": list(views),
        "embedding": rows,
    }


def _lesions(text: str) -> str:
    """Return the lesions of a text as a list of segments with percentages of the diameter."""
    lesions = lesions_of(read(text)).positive
    return "; ".join(f"{spoken(place)} {fact.percentage}" for place, fact in lesions.items())
