"""How well held-out pictures come back from their latents, and what these latents look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import gather_rows
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.metrics.bootstrap import interval
from cinelex.metrics.latent import BiasLevel, bias_level, latent_statistics
from cinelex.metrics.nulls import uniformity_of_random_directions
from cinelex.models.latent_captioner import LatentCaptioner
from cinelex.projects.interface.results import Group, Score, headline
from cinelex.projects.studies.encoding import device_of

NULLS = {
    "mean_picture": "the mean training picture",
    "mean_gray": "its mean gray everywhere",
    "shuffled_latent": "the latent of another picture",
    "mean_latent": "the mean latent of the batch",
}
"""What stands in for the model, by its name in the results."""


@dataclass(frozen=True)
class Rebuilt:
    """Errors and latents of held-out pictures, in the data set's order; white is 1."""

    errors: Mapping[str, Float[Tensor, " clip"]]
    """Mean squared error of each picture: of the ``model``, and of each of ``NULLS``."""
    latent: Float[Tensor, "clip latent"]

    def mean(self, name: str) -> float:
        """Return the mean error over pictures."""
        return float(self.errors[name].mean())


@torch.no_grad()
def rebuild(
    model: LatentCaptioner,
    dataset: StudyDataset,
    mean_picture: Float[Tensor, "channel frame row column"],
    *,
    batch: int,
) -> Rebuilt:
    """Rebuild every picture of a split from its latent; all ranks share the work.

    Args:
        model: The trained module, in evaluation mode.
        dataset: The studies.
        mean_picture: Of the training pictures, normalized.
        batch: Studies at once; only ``shuffled_latent`` and ``mean_latent`` depend on it.
    """
    device, parts = device_of(model), []
    mean = mean_picture.to(device)
    for studies in evaluation_batches(dataset, batch=batch):
        pixels = to_float(studies.clips.to(device))
        latent = model.encode_clips(pixels)
        rebuilt = model.image_decoder(latent)
        guesses = {
            "model": rebuilt,
            "mean_picture": mean.expand_as(pixels),
            "mean_gray": mean.mean().expand_as(pixels),
            "shuffled_latent": rebuilt.roll(1, dims=0),
            "mean_latent": model.image_decoder(latent.mean(0, keepdim=True)).expand_as(pixels),
        }
        errors = [_error(guess, pixels) for guess in guesses.values()]
        parts.append((torch.stack(errors, dim=1).cpu(), latent.float().cpu()))
    names = ("model", *NULLS)
    empty = (torch.zeros(0, len(names)), torch.zeros(0, model.latent_head.latent))
    table, latents = (
        gather_rows(torch.cat(column)) for column in zip(*(parts or [empty]), strict=True)
    )
    return Rebuilt({name: table[:, column] for column, name in enumerate(names)}, latents)


def reconstruction_group(rebuilt: Rebuilt, *, resamples: int, seed: int) -> Group:
    """Return error and share of the variance, each beside what looks at no latent of its own."""
    errors = {name: values.double().numpy() for name, values in rebuilt.errors.items()}
    own, mean = errors["model"], errors["mean_picture"]
    low, high = interval(own, resamples=resamples, seed=seed)
    nulls = {name: float(errors[name].mean()) for name in NULLS}
    value, whole = float(own.mean()), float(mean.mean())
    ratios = {name: null / whole if whole else None for name, null in nulls.items()}
    nearer = float(np.mean(errors["shuffled_latent"] < mean))
    return Group(
        title="Reconstruction",
        note=(
            f"{len(own)} held-out pictures, mean squared error with white = 1. Nulls: "
            + ", ".join(f"{name.replace('_', ' ')}: {said}" for name, said in NULLS.items())
            + ". The ratio is over the error of the mean picture."
        ),
        scores=[
            headline(
                "reconstruction.mse",
                "squared error of a pixel",
                value,
                nulls,
                low=low,
                high=high,
                better="lower",
            ),
            headline(
                "reconstruction.ratio_to_the_mean_picture",
                "ratio to the mean picture",
                value / whole if whole else None,
                ratios,
                better="lower",
            ),
            headline(
                "reconstruction.nearer_than_the_mean_picture",
                "pictures nearer than the mean picture",
                float(np.mean(own < mean)),
                {"shuffled_latent": nearer},
                unit="share",
                better="higher",
            ),
        ],
    )


def latent_group(latent: Float[Tensor, "clip latent"], *, fan_in: int) -> Group:
    """Return level and geometry of held-out latents beside those of a collapse to the bias."""
    rows, dim = latent.shape
    found = {name: float(value) for name, value in latent_statistics(latent).items()}
    bias = bias_level(latent=dim, fan_in=fan_in)
    return Group(
        title="Latents",
        note=(
            f"{rows} held-out pictures, {dim} numbers each. The level cannot see collapse: only "
            "rows that differ can. Collapsed to its bias: what the layer's own first bias would "
            f"leave (fan-in {fan_in}). Random: Gaussian numbers."
        ),
        scores=[*_level(found, bias), *_geometry(found, rows=rows, dim=dim)],
    )


def _level(found: Mapping[str, float], bias: BiasLevel) -> list[Score]:
    largest = bias.std * bias.max_over_std
    ratio = found["max"] / found["std"] if found["std"] else None
    values: dict[str, tuple[str, float | None, float]] = {
        "mean": ("mean", found["mean"], 0.0),
        "std": ("std", found["std"], bias.std),
        "norm": ("norm", found["norm"], bias.norm),
        "min": ("min", found["min"], -largest),
        "max": ("max", found["max"], largest),
        "max_over_std": ("max / std", ratio, bias.max_over_std),
    }
    return [
        _score(name, f"{label} (level)", value, {"collapsed_to_its_bias": null})
        for name, (label, value, null) in values.items()
    ]


def _geometry(found: Mapping[str, float], *, rows: int, dim: int) -> list[Score]:
    spread = found["std"] * sqrt(max(0.0, 1 - 1 / rows))
    uniform = uniformity_of_random_directions(dim)
    nulls = {
        "batch_std": ("std of a number over pictures", 0.0, spread),
        "rankme": ("effective rank (RankMe)", 1.0, float(min(rows, dim))),
        "cosine": ("mean cosine of two pictures", 1.0, 0.0),
        "uniformity": ("uniformity", 0.0, uniform),
    }
    return [
        _score(name, label, found[name], {"collapsed": collapsed, "random": random})
        for name, (label, collapsed, random) in nulls.items()
    ]


def _score(name: str, label: str, value: float | None, nulls: Mapping[str, float]) -> Score:
    known = None if value is None or not np.isfinite(value) else value
    return headline(f"latent.{name}", label, known, nulls)


def _error(
    guess: Float[Tensor, "clip channel frame row column"],
    pixels: Float[Tensor, "clip channel frame row column"],
) -> Float[Tensor, " clip"]:
    """Return the error of each picture, of what a screen would show of the guess."""
    white, black = (1 - PIXEL_MEAN) / PIXEL_STD, -PIXEL_MEAN / PIXEL_STD
    shown = guess.float().clamp(black, white)
    return ((shown - pixels) * PIXEL_STD).square().flatten(1).mean(dim=1)
