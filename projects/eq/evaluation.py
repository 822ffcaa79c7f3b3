"""Everything that is measured on the test people's settings, beside methods without training."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import is_main
from cinelex.losses.grouped_error import GroupedError
from cinelex.metrics.classification import balanced_accuracy
from cinelex.metrics.curves import rms_difference
from cinelex.models.eq_autoencoder import EqAutoencoder
from cinelex.projects.eq.data import EqData
from cinelex.projects.eq.descriptors import cluster_group, pair_rows, word_group
from cinelex.projects.eq.encoding import (
    Curves,
    EqSpace,
    decode_latents,
    encode_split,
    morph_units,
    prototypes,
)
from cinelex.projects.eq.outputs import morph_group, output_table, rebuilt_group, validity_group
from cinelex.projects.eq.pictures import draw_descriptors, draw_map, draw_morph
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Results


def validation_numbers(model: EqAutoencoder, data: EqData, curves: Curves) -> dict[str, float]:
    """Return how well validation people's pair is told apart, and how well curves are rebuilt.

    A setting is taken for the descriptor whose training centre has the greater cosine with it.
    """
    train = encode_split(model, data.train, curves)
    space = encode_split(model, data.validation, curves)
    rows, truth = pair_rows(space)
    cosines = space.direction[rows] @ F.normalize(prototypes(train)[:2], dim=-1).T
    people = data.validation.people[rows.numpy()]
    taken = (cosines[:, 1] > cosines[:, 0]).numpy()
    accuracy = balanced_accuracy(taken, truth, people, resamples=1).value
    real = space.curves.numpy()
    rebuilt = curves(decode_latents(model, space.latent).values).numpy()
    mean = train.curves.mean(dim=0).numpy()[None]
    found = {
        "response_rms_db": rms_difference(rebuilt, real),
        "response_rms_db/chance": rms_difference(np.broadcast_to(mean, real.shape), real),
    }
    if accuracy is not None:
        found |= {"pair/balanced_accuracy": accuracy, "pair/balanced_accuracy/chance": 0.5}
    return found


def evaluate(
    config: RunConfig,
    data: EqData,
    model: EqAutoencoder,
    curves: Curves,
    loss: GroupedError,
    folder: Path,
) -> Results:
    """Return scores, pictures, and what the doctor reads of each parameter's output."""
    train = encode_split(model, data.train, curves)
    test = encode_split(model, data.test, curves)
    return Results(
        groups=[
            word_group(config, data, train, test),
            cluster_group(data, test),
            morph_group(config, data, model, curves, train, test),
            rebuilt_group(model, curves, loss, train, test),
            validity_group(model, train, test, seed=config.seed),
        ],
        tables=[output_table(model, loss, train, test)],
        pictures=_draw(config, data, model, curves, (train, test), folder),
    )


def _draw(
    config: RunConfig,
    data: EqData,
    model: EqAutoencoder,
    curves: Curves,
    spaces: tuple[EqSpace, EqSpace],
    folder: Path,
) -> list[Picture]:
    train, test = spaces
    centres = prototypes(train)
    made = _curves_of(model, centres, curves)
    pair = data.descriptors[:2]
    morph = curves(morph_units(model, train, (0, 1), steps=config.eq.morph_steps).values).numpy()
    words = range(len(data.descriptors))
    below = Path("predictions")
    if is_main():
        known = [train.curves[train.having(word)].numpy() for word in words]
        draw_descriptors(folder / below / "descriptors.png", data.descriptors, made, known)
        draw_morph(folder / below / "morph.png", pair, morph)
        draw_map(
            folder / below / "map.png",
            test.direction.numpy(),
            F.normalize(centres, dim=-1).numpy(),
            [test.having(word).numpy() for word in words],
            data.descriptors,
        )
    return [
        Picture(
            title="A setting for every word.",
            note="Response of the setting at each descriptor's mean latent, over the training "
            "settings of that descriptor.",
            path=below / "descriptors.png",
        ),
        Picture(
            title=f"From {pair[0]} to {pair[1]}.",
            note="Settings on the straight way between the two mean latents.",
            path=below / "morph.png",
        ),
        Picture(
            title="Where held-out settings lie.",
            note="The two directions of the latent in which the descriptors' centres differ most.",
            path=below / "map.png",
        ),
    ]


def _curves_of(
    model: EqAutoencoder, latent: Float[Tensor, "setting dim"], curves: Curves
) -> Float[np.ndarray, "setting point"]:
    made: Float[np.ndarray, "setting point"]
    with torch.no_grad():
        made = curves(decode_latents(model, latent).values).numpy()
    return made
