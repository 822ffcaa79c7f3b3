"""What the decoder writes: morphs, rebuilt settings and ranges, beside methods without training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cinelex.config.schema import RunConfig
from cinelex.core.randomness import generator
from cinelex.data.eq.codec import EqUnits
from cinelex.data.eq.parameters import BANDS, PARAMETERS
from cinelex.data.eq.response import frequencies
from cinelex.losses.grouped_error import GroupedError
from cinelex.metrics.curves import (
    distance_to_nearest,
    morph_quality,
    rms_difference,
)
from cinelex.models.eq_autoencoder import EqAutoencoder
from cinelex.projects.eq.data import EqData
from cinelex.projects.eq.encoding import (
    Curves,
    EqSpace,
    between,
    class_means,
    decode_latents,
)
from cinelex.projects.eq.making import morph_units
from cinelex.projects.eq.settings import importance
from cinelex.projects.rows import Row, Table

RANDOM_LATENTS = 1000
"""Latents unlike any that was seen, for the check that no output leaves its range."""
RANDOM_SPREAD = 100.0
"""Their spread, in standard deviations of the training latents."""


def morph_table(
    config: RunConfig,
    data: EqData,
    model: EqAutoencoder,
    curves: Curves,
    train: EqSpace,
    test: EqSpace,
) -> Table:
    """Return how evenly the pair's first word becomes the second, beside a line in units.

    The ends should be the mean curves of each word's held-out settings.
    """
    steps, points = config.eq.morph_steps, train.curves.shape[1]
    hz = frequencies(points).numpy()
    ends = class_means(test.curves, test.labels)[:2].numpy()
    line = between(class_means(train.units, train.labels)[:2], steps=steps)
    made = {
        "latent": curves(morph_units(model, train, (0, 1), steps=steps).values).numpy(),
        "line_in_units": curves(line).numpy(),
    }
    quality = {
        name: morph_quality(rows, hz, first=ends[0], last=ends[1]) for name, rows in made.items()
    }
    mine, straight = quality["latent"], quality["line_in_units"]
    apart = rms_difference(ends[:1], ends[1:])
    first, second = data.descriptors[:2]
    rows = [
        Row(
            label="Spearman of the share of the way with spectral tilt",
            value=mine.spearman,
            nulls={"random_order": 0.0, "line_in_units": straight.spearman},
        ),
        Row(
            label="steps in which the tilt goes the way, share",
            value=mine.monotone,
            nulls={"random_order": 0.5, "line_in_units": straight.monotone},
        ),
        _end(first, mine.first_error_db, straight.first_error_db, apart),
        _end(second, mine.last_error_db, straight.last_error_db, apart),
        _near(made, train, test, seed=config.seed, curves=curves),
    ]
    note = f"{first} to {second} in {steps} settings; ends compared with held-out mean curves"
    return Table(title="Morph", note=note, rows=rows)


def _end(word: str, mine: float, straight: float, apart: float) -> Row:
    return Row(
        label=f"error of the end {word}, dB",
        value=mine,
        nulls={"mean_curve_of_the_other_word": apart, "line_in_units": straight},
    )


def _near(
    made: dict[str, np.ndarray], train: EqSpace, test: EqSpace, *, seed: int, curves: Curves
) -> Row:
    """Return how far the morph is from the nearest training curve, beside real ones and noise."""
    known = train.curves.numpy()
    noise = torch.rand(200, len(PARAMETERS), generator=generator(seed, "random settings"))
    return Row(
        label="distance to the nearest training curve, dB",
        value=float(distance_to_nearest(made["latent"], known).mean()),
        nulls={
            "held-out_settings": float(distance_to_nearest(test.curves.numpy(), known).mean()),
            "line_in_units": float(distance_to_nearest(made["line_in_units"], known).mean()),
            "random_settings": float(distance_to_nearest(curves(noise).numpy(), known).mean()),
        },
    )


def rebuilt_table(
    model: EqAutoencoder, curves: Curves, loss: GroupedError, train: EqSpace, test: EqSpace
) -> Table:
    """Return how well held-out settings survive the latent, beside as many principal components."""
    from sklearn.decomposition import PCA  # here, because it takes a second

    dim = train.latent.shape[1]
    components = PCA(min(dim, len(PARAMETERS))).fit(train.units.double().numpy())
    squeezed = components.inverse_transform(components.transform(test.units.double().numpy()))
    guesses = {
        "value": decode_latents(model, test.latent).values,
        "predict_the_mean": torch.tensor(loss.mean).float().expand_as(test.units),
        f"{components.n_components_}_components": torch.tensor(squeezed).float().clamp(0, 1),
    }
    weight = importance(EqUnits(test.units).decode())
    each = {name: loss.each(guess, test.units, weight) for name, guess in guesses.items()}
    rows = []
    for title, group in zip(("gains", "frequencies", "quality factors"), loss.groups, strict=True):
        errors = {name: float(error[list(group)].mean()) for name, error in each.items()}
        label = f"squared error of {title}, in their variance"
        rows.append(Row(label=label, value=errors.pop("value"), nulls=errors, better="lower"))
    responses = {
        name: rms_difference(curves(guess).numpy(), test.curves.numpy())
        for name, guess in guesses.items()
    }
    value = responses.pop("value")
    rows.append(
        Row(label="error of the response, dB", value=value, nulls=responses, better="lower")
    )
    note = (
        f"{len(test.units)} held-out settings through {dim} numbers; frequencies and quality "
        "factors count as much as their band's gain"
    )
    return Table(title="Rebuilt settings", note=note, rows=rows)


def validity_table(model: EqAutoencoder, train: EqSpace, test: EqSpace, *, seed: int) -> Table:
    """Return the share of written parameters inside their ranges, band by band.

    Written from the latents of held-out settings and from random ones far outside. The null is a
    ridge regression from the same latents to physical values, which nothing keeps inside.
    """
    from sklearn.linear_model import Ridge  # here, because it takes a second

    draw = torch.randn(RANDOM_LATENTS, train.latent.shape[1], generator=generator(seed, "latents"))
    far = train.latent.mean(dim=0) + RANDOM_SPREAD * train.latent.std(dim=0) * draw
    latents = torch.cat([test.latent, far])
    written = decode_latents(model, latents).decode().values.numpy()
    physical = EqUnits(train.units).decode().values.numpy()
    ridge = Ridge().fit(train.latent.numpy(), physical)
    regressed = ridge.predict(latents.numpy())
    rows = []
    for band in range(1, len(BANDS) + 1):
        own = [place for place, item in enumerate(PARAMETERS) if item.band == band]
        rows.append(
            Row(
                label=f"band {band}, share inside",
                value=_inside(written, own),
                nulls={"ridge_regression": _inside(regressed, own)},
                better="higher",
            )
        )
    note = f"{len(test.latent)} held-out latents and {RANDOM_LATENTS} random ones"
    return Table(title="Validity", note=note, rows=rows)


def _inside(values: np.ndarray, places: Sequence[int]) -> float:
    """Return the share of rows whose parameters at ``places`` are all inside their ranges."""
    low = np.array([PARAMETERS[place].low for place in places], values.dtype)
    high = np.array([PARAMETERS[place].high for place in places], values.dtype)
    chosen = values[:, list(places)]
    return float(((chosen >= low) & (chosen <= high)).all(axis=1).mean())


def outputs(
    model: EqAutoencoder, loss: GroupedError, train: EqSpace, test: EqSpace
) -> list[dict[str, Any]]:
    """Return, for each parameter, what the doctor judges: its outputs and its part of the loss."""
    guess = decode_latents(model, test.latent)
    written = guess.decode().values
    targets = EqUnits(train.units).decode().values
    weight = importance(EqUnits(test.units).decode())
    each = loss.each(guess.values, test.units, weight).tolist()
    size = {place: len(group) * len(loss.groups) for group in loss.groups for place in group}
    return [
        {
            "name": item.name,
            "unit": item.unit or "Q",
            "low": item.low,
            "high": item.high,
            "least": float(written[:, place].min()),
            "greatest": float(written[:, place].max()),
            "target_mean": float(targets[:, place].mean()),
            "target_std": float(targets[:, place].std(correction=0)),
            "loss": each[place] / size[place],
        }
        for place, item in enumerate(PARAMETERS)
    ]
