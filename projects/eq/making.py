"""What a trained semantic EQ makes: settings from words, morphs, descriptions and embeddings."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch.nn import functional as F

from cinelex.core.console import say
from cinelex.core.csv_text import csv_text
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.data.eq.codec import EqSettings
from cinelex.data.eq.parameters import PARAMETERS
from cinelex.models.eq_autoencoder import EqAutoencoder
from cinelex.projects.eq.encoding import (
    decode_latents,
    encode_split,
    morph_units,
    nearest_descriptor,
    prototypes,
)
from cinelex.projects.eq.pictures import draw_descriptors, draw_morph
from cinelex.projects.eq.project import EqProject
from cinelex.projects.interface.project import Request
from cinelex.projects.interface.tables import write_csv, write_embeddings


def generate(project: EqProject, model: EqAutoencoder, request: Request) -> Path:
    """Print the setting at each descriptor's mean training latent, and draw the curves.

    Beside each word's curve the picture shows the training settings of that word: their mean and
    where the middle 80 % of them lie.

    Raises:
        UserError: There is no word, or one is no descriptor that was learned.
    """
    if not request.words:
        raise UserError("--run_mode generate needs at least one word: what to make")
    data = project.data
    indices = [data.index_of(word) for word in request.words]
    space = encode_split(model, data.train, project.curves)
    units = decode_latents(model, prototypes(space)[indices])
    names = [data.descriptors[index] for index in indices]
    say(parameter_table(units.decode(), names))
    base = request.folder / "predictions" / f"generate-{file_name(names)}"
    if is_main():
        write_whole(base.with_suffix(".csv"), parameters_csv(units.decode(), names))
        known = [space.curves[space.having(index)].numpy() for index in indices]
        made = project.curves(units.values).numpy()
        draw_descriptors(base.with_suffix(".png"), names, made, known)
    return base.with_suffix(".png")


def morph(project: EqProject, model: EqAutoencoder, request: Request) -> Path:
    """Print the settings on the straight way between two descriptors' latents, and draw them.

    Raises:
        UserError: There are not two words, one is no descriptor that was learned, or there are too
            few steps for both.
    """
    data, steps = project.data, request.steps
    if len(request.words) != 2:
        raise UserError(f"--run_mode morph needs two words, from and to, got {len(request.words)}")
    if steps < 2:
        raise UserError(f"--steps must be at least 2, the two ends, got {steps}")
    indices = [data.index_of(word) for word in request.words]
    space = encode_split(model, data.train, project.curves)
    units = morph_units(model, space, indices, steps=steps)
    shares = [f"{100 * step / (steps - 1):.0f} %" for step in range(steps)]
    say(parameter_table(units.decode(), shares))
    names = [data.descriptors[index] for index in indices]
    base = request.folder / "predictions" / f"morph-{file_name(names)}"
    if is_main():
        write_whole(base.with_suffix(".csv"), parameters_csv(units.decode(), shares))
        draw_morph(base.with_suffix(".png"), names, project.curves(units.values).numpy())
    return base.with_suffix(".png")


def describe(project: EqProject, model: EqAutoencoder, request: Request) -> Path:
    """Write ``predictions/inference.csv``: each setting's descriptor, and its cosine with each.

    A row of the file that cannot be used has a row too, whose ``not_read_because`` says why.
    """
    data = project.data
    centres = prototypes(encode_split(model, data.train, project.curves))
    space = encode_split(model, data.described, project.curves)
    cosines = space.direction @ F.normalize(centres, dim=-1).T
    table: dict[str, list[Any]] = {"id": [row.id for row in data.described.rows]}
    best = nearest_descriptor(space, centres).tolist()
    table["descriptor"] = [data.descriptors[index] for index in best]
    for index, word in enumerate(data.descriptors):
        table[f"cosine {word}"] = cosines[:, index].tolist()
    lost = data.not_described
    if lost:
        say(f"{len(lost)} of {len(data.described) + len(lost)} rows cannot be used")
    empty = [None] * len(lost)
    table = {name: [*column, *empty] for name, column in table.items()}
    said = [f"row {number}: {reason.strip()}" for number, reason in lost.items()]
    table["not_read_because"] = [""] * len(data.described) + said
    return write_csv(table, request)


def embed(project: EqProject, model: EqAutoencoder, request: Request) -> Path:
    """Write ``embeddings.parquet``: id, split, descriptors and latent of every setting.

    The file's metadata holds the hashes of config, data, code and checkpoint.
    """
    data, tables = project.data, []
    splits = {"train": data.train, "val": data.validation, "test": data.test}
    for split, dataset in splits.items():
        latent = encode_split(model, dataset, project.curves).latent
        columns = {
            "id": [row.id for row in dataset.rows],
            "split": [split] * len(dataset),
            "descriptors": [list(row.descriptors) for row in dataset.rows],
            "embedding": latent.numpy(),
        }
        tables.append(columns)
    return write_embeddings(tables, request)


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
    head = ["setting", *(item.name for item in PARAMETERS)]
    rows = zip(names, settings.values.tolist(), strict=True)
    return csv_text([head, *([name, *values] for name, values in rows)])


def file_name(words: Sequence[str]) -> str:
    """Return words as a part of a file's name: letters, digits and dashes."""
    return "-".join(re.sub(r"\W+", "-", word).strip("-") for word in words)[:100]
