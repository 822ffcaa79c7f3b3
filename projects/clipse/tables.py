"""Tables of image-text runs that others read: nearest captions, and embeddings with ids."""

from pathlib import Path
from typing import Any

import numpy as np

from cinelex.metrics.ranking import nearest
from cinelex.models.video_text import VideoText
from cinelex.projects.clipse.data import all_captions
from cinelex.projects.clipse.project import ClipseProject
from cinelex.projects.clipse.results import encode_images
from cinelex.projects.interface.project import Request
from cinelex.projects.interface.tables import write_csv, write_embeddings

NEAREST = 3
"""Training captions that are kept of each image's ranking."""


def describe(project: ClipseProject, model: VideoText, request: Request) -> Path:
    """Write ``predictions/inference.csv``: the nearest training captions of each test image.

    Nothing in it is read from the images' own captions. An image that could not be read has a row
    too, which says why.

    Raises:
        UserError: No image can be read.
    """
    data, size = project.data, project.config.evaluation.batch
    described = data.described.readable()
    images = encode_images(model, described, batch=size).image
    library = encode_images(model, data.train, batch=size).caption
    texts = all_captions(data.train.images)
    cosines, found = nearest(images, library, count=NEAREST)
    table: dict[str, list[Any]] = {"image_id": [image.id for image in described.images]}
    for rank in range(found.shape[1]):
        table[f"nearest_{rank + 1}_caption"] = [texts[row] for row in found[:, rank].tolist()]
        table[f"nearest_{rank + 1}_cosine"] = cosines[:, rank].tolist()
    return write_csv(data.described.rows(table, key="image_id"), request)


def embed(project: ClipseProject, model: VideoText, request: Request) -> Path:
    """Write ``embeddings.parquet``: a row an image and a caption, of every split.

    Columns: ``kind`` (image or caption), ``image_id``, ``split``, ``caption`` (its number under the
    image, -1 for images), ``embedding`` (unit row). The metadata holds the hashes of config, data,
    code and checkpoint. With a manifest for inference it has the images of that one alone.
    """
    data, tables = project.data, []
    new = data.described.own
    datasets = [data.described.readable()] if new else [data.train, data.validation, data.test]
    for dataset in datasets:
        if dataset is None:
            continue
        encoded = encode_images(model, dataset, batch=project.config.evaluation.batch)
        split, owner = dataset.images[0].split, dataset.caption_owners()
        ids = np.array([image.id for image in dataset.images], dtype=object)
        first = np.searchsorted(owner, owner)
        for kind, names, numbers, rows in (
            ("image", ids, np.full(len(ids), -1), encoded.image),
            ("caption", ids[owner], np.arange(len(owner)) - first, encoded.caption),
        ):
            columns = {
                "kind": [kind] * len(names),
                "image_id": names.tolist(),
                "split": [split] * len(names),
                "caption": numbers.astype(np.int32),
                "embedding": rows.numpy(),
            }
            if not (new and kind == "caption"):
                tables.append(columns)
    return write_embeddings(tables, request, data_hash=data.described.hash if new else None)
