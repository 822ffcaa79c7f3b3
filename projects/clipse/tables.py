"""Tables of image-text runs that others read: nearest captions, and embeddings with ids."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.metrics.ranking import nearest
from cinelex.models.video_text import VideoText
from cinelex.projects.clipse.data import ClipseData, all_captions
from cinelex.projects.clipse.results import encode_images
from cinelex.projects.studies.tables import write_table

NEAREST = 3
"""Training captions that are kept of each image's ranking."""


def describe(config: RunConfig, data: ClipseData, model: VideoText, folder: Path) -> Path:
    """Write ``predictions/inference.csv``: the nearest training captions of each test image.

    Nothing in it is read from the images' own captions.
    """
    size = config.evaluation.batch
    images = encode_images(model, data.test, batch=size).image
    library = encode_images(model, data.train, batch=size).caption
    texts = all_captions(data.train.images)
    cosines, places = nearest(images, library, count=NEAREST)
    table: dict[str, list[Any]] = {"image_id": [image.id for image in data.test.images]}
    for place in range(places.shape[1]):
        table[f"nearest_{place + 1}_caption"] = [texts[row] for row in places[:, place].tolist()]
        table[f"nearest_{place + 1}_cosine"] = cosines[:, place].tolist()
    path = folder / "predictions" / "inference.csv"
    if is_main():
        from pandas import DataFrame  # here, because it takes a second

        write_whole(path, DataFrame(table).to_csv(index=False))
    return path


def embed(
    config: RunConfig,
    data: ClipseData,
    model: VideoText,
    folder: Path,
    *,
    provenance: Mapping[str, str],
) -> Path:
    """Write ``embeddings.parquet``: a row an image and a caption, of every split.

    Columns: ``kind`` (image or caption), ``image_id``, ``split``, ``caption`` (its number under the
    image, -1 for images), ``embedding`` (unit row). The metadata holds the hashes of config, data,
    code and checkpoint.
    """
    tables = []
    for dataset in (data.train, data.validation, data.test):
        if dataset is None:
            continue
        encoded = encode_images(model, dataset, batch=config.evaluation.batch)
        split, owner = dataset.images[0].split, dataset.caption_owners()
        ids = np.array([image.id for image in dataset.images], dtype=object)
        first = np.searchsorted(owner, owner)
        for kind, names, numbers, rows in (
            ("image", ids, np.full(len(ids), -1), encoded.image),
            ("caption", ids[owner], np.arange(len(owner)) - first, encoded.caption),
        ):
            flat = pa.array(rows.numpy().reshape(-1), pa.float32())
            columns = {
                "kind": [kind] * len(names),
                "image_id": names.tolist(),
                "split": [split] * len(names),
                "caption": pa.array(numbers, pa.int32()),
                "embedding": pa.FixedSizeListArray.from_arrays(flat, rows.shape[1]),
            }
            tables.append(pa.table(columns))
    return write_table(tables, folder / "embeddings.parquet", provenance=provenance)
