"""Tables that others read: a description of each study, and embeddings with ids and hashes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_json, gather_rows, is_main
from cinelex.core.files import write_whole
from cinelex.data.batch import Batch
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.captions import write_captions
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import (
    device_of,
    encode_batch,
    encode_studies,
)

NEAREST = 3
"""Training reports that are kept of each study's ranking."""


def describe(config: RunConfig, data: StudyData, model: StudyModel, folder: Path) -> Path:
    """Write ``predictions/inference.csv``: nearest training reports, caption and facts, by study.

    Nothing in it is read from the studies' own reports; they may be empty.
    """
    settings = config.evaluation
    study = encode_studies(model, data.described, batch=settings.batch)
    library = encode_studies(model, data.train, batch=settings.batch)
    best = (study @ library.T).topk(min(NEAREST, len(library)))
    table: dict[str, list[Any]] = {"study_id": [item.id for item in data.described.studies]}
    for rank in range(best.indices.shape[1]):
        near = [data.train.studies[place] for place in best.indices[:, rank].tolist()]
        table[f"nearest_{rank + 1}_study_id"] = [item.id for item in near]
        table[f"nearest_{rank + 1}_cosine"] = best.values[:, rank].tolist()
        table[f"nearest_{rank + 1}_report"] = [item.report for item in near]
    told = table["nearest_1_report"]
    if model.caption_decoder is not None:
        told = table["caption"] = write_captions(
            model, data.described, batch=settings.batch, max_tokens=settings.max_new_tokens
        )
    if settings.facts == "coronary":
        table["lesions"] = [_lesions(text) for text in told]
    path = folder / "predictions" / "inference.csv"
    if is_main():
        from pandas import DataFrame  # here, because it takes a second

        write_whole(path, DataFrame(table).to_csv(index=False))
    return path


def embed(
    config: RunConfig,
    data: StudyData,
    model: StudyModel,
    folder: Path,
    *,
    provenance: Mapping[str, str],
) -> Path:
    """Write ``embeddings.parquet``: a row a study, a clip and a report, of every split.

    Columns: ``kind`` (study, clip or report), ``study_id``, ``split``, ``clip`` (its number in the
    study, -1 for the other kinds), ``embedding`` (unit row). The file's metadata holds the hashes
    of config, data, code and checkpoint.
    """
    tables = [
        table
        for dataset in (data.train, data.validation, data.test)
        if dataset is not None
        for table in _embedding_tables(model, dataset, batch=config.evaluation.batch)
    ]
    return write_table(tables, folder / "embeddings.parquet", provenance=provenance)


def write_table(tables: list[pa.Table], path: Path, *, provenance: Mapping[str, str]) -> Path:
    """Write the tables as one Parquet file whose metadata holds the hashes; the main rank does."""
    if is_main():
        whole = pa.concat_tables(tables).replace_schema_metadata(dict(provenance))
        sink = pa.BufferOutputStream()
        pq.write_table(whole, sink)
        write_whole(path, sink.getvalue().to_pybytes())
    return path


@torch.no_grad()
def _embedding_tables(model: StudyModel, dataset: StudyDataset, *, batch: int) -> list[pa.Table]:
    device, pad = device_of(model), dataset.tokenizer.pad_id
    studies, clips, reports = [], [], []
    ids: list[str] = []
    places: list[list[Any]] = []
    for group in evaluation_batches(dataset, batch=batch):
        encoded = encode_batch(model, group.to(device))
        studies.append(encoded.study.cpu())
        clips.append(encode_batch(model, _each_clip_alone(group).to(device)).study.cpu())
        token_ids = group.token_ids.to(device)
        reports.append(model.encode_report(token_ids, token_ids != pad).report.cpu())
        ids += group.study_ids
        owners = group.owner.tolist()
        places += [[group.study_ids[o], n - owners.index(o)] for n, o in enumerate(owners)]
    width = model.dim
    ids = [name for part in gather_json(ids) for name in part]
    places = [place for part in gather_json(places) for place in part]
    clip_of, numbers = [place[0] for place in places], [place[1] for place in places]
    return [
        _table("study", ids, [-1] * len(ids), dataset, _gathered(studies, width)),
        _table("clip", clip_of, numbers, dataset, _gathered(clips, width)),
        _table("report", ids, [-1] * len(ids), dataset, _gathered(reports, width)),
    ]


def _each_clip_alone(batch: Batch) -> Batch:
    """Return the batch with every clip as a study of its own; reports and groups mean nothing."""
    count = len(batch.clips)
    return replace(batch, owner=torch.arange(count), study_ids=[""] * count)


def _gathered(rows: list[Tensor], width: int) -> Float[np.ndarray, "row dim"]:
    gathered: Float[np.ndarray, "row dim"]
    gathered = gather_rows(torch.cat(rows) if rows else torch.zeros(0, width)).numpy()
    return gathered


def _table(
    kind: str,
    ids: list[str],
    clips: list[int],
    dataset: StudyDataset,
    rows: Float[np.ndarray, "row dim"],
) -> pa.Table:
    split = dataset.studies[0].split
    flat = pa.array(rows.reshape(-1), pa.float32())
    return pa.table(
        {
            "kind": [kind] * len(ids),
            "study_id": ids,
            "split": [split] * len(ids),
            "clip": pa.array(clips, pa.int32()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1]),
        }
    )


def _lesions(text: str) -> str:
    """Return the lesions of a text as "segment low-high" items, in percent of the diameter."""
    lesions = lesions_of(read(text)).positive
    return "; ".join(f"{place} {fact.low:g}-{fact.high:g}" for place, fact in lesions.items())
