"""What a trained semantic EQ makes: settings from words, morphs, descriptions and embeddings."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from torch.nn import functional as F

from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.data.eq.codec import EqSettings, EqUnits
from cinelex.data.eq.parameters import PARAMETERS
from cinelex.models.eq_autoencoder import EqAutoencoder
from cinelex.projects.eq.data import EqData
from cinelex.projects.eq.encoding import (
    Curves,
    EqSpace,
    between,
    decode_latents,
    encode_split,
    nearest_descriptor,
    prototypes,
)
from cinelex.projects.eq.pictures import draw_descriptors, draw_morph


def generate(
    data: EqData, model: EqAutoencoder, curves: Curves, folder: Path, words: Sequence[str]
) -> Path:
    """Print the setting at each descriptor's mean training latent, and draw the curves.

    Beside each word's curve the picture shows the training settings of that word: their mean and
    where the middle 80 % of them lie.

    Raises:
        UserError: A word is no descriptor that was learned.
    """
    places = [data.place_of(word) for word in words]
    space = encode_split(model, data.train, curves)
    units = decode_latents(model, prototypes(space)[places])
    names = [data.descriptors[place] for place in places]
    say(parameter_table(units.decode(), names))
    base = folder / "predictions" / f"generate-{file_name(names)}"
    if is_main():
        write_whole(base.with_suffix(".csv"), parameters_csv(units.decode(), names))
        known = [space.curves[space.having(place)].numpy() for place in places]
        draw_descriptors(base.with_suffix(".png"), names, curves(units.values).numpy(), known)
    return base.with_suffix(".png")


def morph(
    data: EqData,
    model: EqAutoencoder,
    curves: Curves,
    folder: Path,
    ends: Sequence[str],
    *,
    steps: int,
) -> Path:
    """Print the settings on the straight way between two descriptors' latents, and draw them.

    Raises:
        UserError: A word is no descriptor that was learned.
    """
    places = [data.place_of(word) for word in ends]
    units = morph_units(model, encode_split(model, data.train, curves), places, steps=steps)
    shares = [f"{100 * step / (steps - 1):.0f} %" for step in range(steps)]
    say(parameter_table(units.decode(), shares))
    names = [data.descriptors[place] for place in places]
    base = folder / "predictions" / f"morph-{file_name(names)}"
    if is_main():
        write_whole(base.with_suffix(".csv"), parameters_csv(units.decode(), shares))
        draw_morph(base.with_suffix(".png"), names, curves(units.values).numpy())
    return base.with_suffix(".png")


def morph_units(
    model: EqAutoencoder, space: EqSpace, places: Sequence[int], *, steps: int
) -> EqUnits:
    """Return the settings on the straight way between the mean latents of two descriptors."""
    return decode_latents(model, between(prototypes(space)[list(places)], steps=steps))


def describe(data: EqData, model: EqAutoencoder, curves: Curves, folder: Path) -> Path:
    """Write ``predictions/inference.csv``: each setting's descriptor, and its cosine with each."""
    centres = prototypes(encode_split(model, data.train, curves))
    space = encode_split(model, data.described, curves)
    cosines = space.direction @ F.normalize(centres, dim=-1).T
    table: dict[str, list[Any]] = {"id": [row.id for row in data.described.rows]}
    best = nearest_descriptor(space, centres).tolist()
    table["descriptor"] = [data.descriptors[place] for place in best]
    for place, word in enumerate(data.descriptors):
        table[f"cosine {word}"] = cosines[:, place].tolist()
    path = folder / "predictions" / "inference.csv"
    if is_main():
        from pandas import DataFrame  # here, because it takes a second

        write_whole(path, DataFrame(table).to_csv(index=False))
    return path


def embed(
    data: EqData,
    model: EqAutoencoder,
    curves: Curves,
    folder: Path,
    *,
    provenance: Mapping[str, str],
) -> Path:
    """Write ``embeddings.parquet``: id, split, descriptors and latent of every setting.

    The file's metadata holds the hashes of config, data, code and checkpoint.
    """
    tables = []
    for split, dataset in (
        ("train", data.train),
        ("val", data.validation),
        ("test", data.test),
    ):
        latent = encode_split(model, dataset, curves).latent
        flat = pa.array(latent.numpy().reshape(-1), pa.float32())
        columns = {
            "id": [row.id for row in dataset.rows],
            "split": [split] * len(dataset),
            "descriptors": [list(row.descriptors) for row in dataset.rows],
            "embedding": pa.FixedSizeListArray.from_arrays(flat, latent.shape[1]),
        }
        tables.append(pa.table(columns))
    path = folder / "embeddings.parquet"
    if is_main():
        sink = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables(tables).replace_schema_metadata(dict(provenance)), sink)
        write_whole(path, sink.getvalue().to_pybytes())
    return path


def parameter_table(settings: EqSettings, names: Sequence[str]) -> str:
    """Return settings as text: a line a parameter, a column a setting."""
    width = max(9, *(len(name) + 1 for name in names))
    lines = [" " * 16 + "".join(f"{name:>{width}}" for name in names)]
    for item, column in zip(PARAMETERS, settings.values.T.tolist(), strict=True):
        digits = 0 if item.kind == "frequency" else 2
        cells = "".join(f"{value:>{width}.{digits}f}" for value in column)
        lines.append(f"{f'{item.name} {item.unit}':<16}{cells}")
    return "\n".join(lines)


def parameters_csv(settings: EqSettings, names: Sequence[str]) -> str:
    """Return settings as CSV: a row a setting, the parameters in the order of the file."""
    from pandas import DataFrame  # here, because it takes a second

    table = DataFrame(settings.values.tolist(), columns=[item.name for item in PARAMETERS])
    table.insert(0, "setting", list(names))
    return str(table.to_csv(index=False))


def file_name(words: Sequence[str]) -> str:
    """Return words as a part of a file's name: letters, digits and dashes."""
    return "-".join(re.sub(r"\W+", "-", word).strip("-") for word in words)[:100]
