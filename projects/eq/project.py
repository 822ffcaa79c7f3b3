"""Semantic EQ: settings that share a word find one another, and a word makes a setting."""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.config.schedule import active_weights, value_at, weights_at
from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_rows, rank, world_size
from cinelex.core.errors import refusing
from cinelex.core.randomness import keyed_seed
from cinelex.core.uniform import uniform
from cinelex.data.eq.codec import EqUnits
from cinelex.data.eq.dataset import EqBatch
from cinelex.data.eq.parameters import PARAMETERS, Kind, places_of
from cinelex.data.eq.response import response_db
from cinelex.data.sampler import share
from cinelex.losses.curve_error import CurveError
from cinelex.losses.grouped_error import GroupedError, weighted_moments
from cinelex.losses.supervised_contrastive import SupervisedContrastive, share_a_label
from cinelex.metrics.nulls import supcon_collapsed
from cinelex.models.eq_autoencoder import EqAutoencoder, EqOutputs
from cinelex.projects.eq.data import EqData, open_eq_data
from cinelex.projects.eq.encoding import encode_split
from cinelex.projects.eq.evaluation import evaluate, validation_numbers
from cinelex.projects.eq.settings import importance
from cinelex.projects.interface.project import Project
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls

KINDS: tuple[Kind, ...] = ("gain", "frequency", "quality")
NOISE = 7301
"""Stream of the draws that blur what the encoder sees."""


class EqProject(Project[EqBatch, EqAutoencoder]):
    """Settings of a five-band equalizer, contrasted by their descriptors and written again."""

    def __init__(self, config: RunConfig, data: EqData) -> None:
        """Measure the training settings, and set up the losses in their units.

        Args:
            config: The run.
            data: Its settings.
        """
        self.config, self.data = config, data
        self._weights = active_weights(config)
        self._temperature = value_at(config.temperature, step=0, steps=config.steps)
        self._statistics: dict[str, Tensor] = {}
        units = data.train.units
        mean, variance = weighted_moments(units, importance(EqUnits(units).decode()))
        groups = [places_of(kind) for kind in KINDS]
        self.parameters = GroupedError(
            groups=groups, mean=mean.tolist(), variance=variance.tolist()
        )
        self.response, self.descriptors = CurveError(), SupervisedContrastive()
        self.mean_curve = self.curves(units).mean(dim=0)

    def curves(self, units: Float[Tensor, "setting parameter"]) -> Float[Tensor, "setting point"]:
        """Return the responses, in dB, of settings given as shares of their ranges."""
        return response_db(EqUnits(units).decode(), points=self.config.eq.points)

    def model(self) -> EqAutoencoder:
        """Build encoder, decoder and bounded heads, freshly initialised from the run's seed."""
        return build_autoencoder(self.config)

    def batches(self, start_step: int) -> Iterator[EqBatch]:
        """Yield this rank's training batches without end, beginning with that of ``start_step``."""
        for step in count(start_step):
            epoch, indices = self.data.sampler.batch_at(step)
            own = share(indices, rank=rank(), world_size=world_size())
            yield self.data.train.batch(own, epoch=epoch)

    def outputs(self, model: nn.Module, batch: EqBatch) -> EqOutputs:
        """Encode settings, seen through a little noise in training, and write them again."""
        seen = self._blurred(batch) if model.training else batch.units
        out: EqOutputs = model(seen, self.curves(seen))
        return out

    def losses(self, outputs: EqOutputs, batch: EqBatch) -> Mapping[str, Tensor]:
        """Contrast settings by their descriptors; compare what was written in units and curves."""
        self._statistics = _positives(batch.labels)
        weight = importance(EqUnits(batch.units).decode())
        found = {
            "parameters": self.parameters(outputs.units, batch.units, weight),
            "response": self.response(self.curves(outputs.units), self.curves(batch.units)),
            "descriptors": self.descriptors(
                outputs.direction,
                batch.labels,
                temperature=torch.tensor(self._temperature, device=outputs.latent.device),
            ),
        }
        return {name: term for name, term in found.items() if name in self._weights}

    def _blurred(self, batch: EqBatch) -> Float[Tensor, "setting parameter"]:
        """Return what the encoder sees of training settings: each unit with a little noise."""
        draw = uniform(batch.keys, count=len(PARAMETERS), stream=NOISE)
        normal = (2.0 * draw - 1.0).clamp(-1.0 + 1e-6, 1.0 - 1e-6).erfinv() * 2.0**0.5
        return (batch.units + self.config.eq.noise * normal).clamp(0.0, 1.0)

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return how many samples of the last batch are anchors, and what their positives cost."""
        return self._statistics

    def counts(self, batch: EqBatch) -> Mapping[str, int]:
        """Return how many settings a batch has."""
        return {"settings": len(batch.ids)}

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""
        return weights_at(self.config, step)

    def prepare_step(self, model: EqAutoencoder, step: int) -> Mapping[str, Tensor | float]:
        """Set the temperature of this step, and return it."""
        self._temperature = value_at(self.config.temperature, step=step, steps=self.config.steps)
        return {"temperature": self._temperature}

    def nulls(self, batch: EqBatch) -> Mapping[str, TermNulls]:
        """Return what each term is for a model that knows only the training settings' means.

        ``descriptors`` is collapsed there: ln(B - 1). It cannot fall below what the positives of
        the batch cost, whatever the temperature.
        """
        weight = importance(EqUnits(batch.units).decode())
        curves = self.curves(batch.units)
        samples = len(gather_rows(batch.keys))
        least = float(_positives(batch.labels)["log_positives"])
        found = {
            "parameters": TermNulls(chance=float(self.parameters.chance(batch.units, weight))),
            "response": TermNulls(
                chance=float(self.response(self.mean_curve.expand_as(curves), curves))
            ),
            "descriptors": TermNulls(chance=supcon_collapsed(samples), floor_at=lambda _: least),
        }
        return {name: nulls for name, nulls in found.items() if name in self._weights}

    def representations(self, model: EqAutoencoder) -> Mapping[str, Tensor]:
        """Return the directions of the validation settings."""
        return {"setting": encode_split(model, self.data.validation, self.curves).direction}

    def diagnostics(self, model: EqAutoencoder) -> Mapping[str, Any]:
        """Return how many settings there are, and whether a person is in two splits."""
        train = self.data.train
        held_out = np.concatenate([self.data.validation.people, self.data.test.people])
        return {
            "data/studies": len(train),
            "data/held_out_studies": len(held_out),
            "data/held_out_of_training_patients": int(np.isin(held_out, train.people).sum()),
        }

    def validate(self, model: EqAutoencoder) -> Mapping[str, float]:
        """Return how well the pair is told apart by held-out people, beside chance."""
        return validation_numbers(model, self.data, self.curves)

    def evaluate(self, model: EqAutoencoder, folder: Path) -> Results:
        """Return every result on the test people's settings, each beside its nulls."""
        return evaluate(self.config, self.data, model, self.curves, self.parameters, folder)

    def data_hash(self) -> str:
        """Return the hash of the settings that the run reads."""
        return self.data.hash


def build_autoencoder(config: RunConfig) -> EqAutoencoder:
    """Return the model that a config describes, freshly initialised, without any data."""
    eq = config.eq
    with torch.random.fork_rng(devices=[]), refusing("eq: the model cannot be built"):
        torch.manual_seed(keyed_seed(config.seed, "weights"))
        return EqAutoencoder(
            groups=[places_of(kind) for kind in KINDS],
            points=eq.points,
            dim=eq.dim,
            width=eq.width,
            depth=eq.depth,
        )


def rehearse_eq(config: RunConfig) -> None:
    """Build the model."""
    build_autoencoder(config)


def open_eq(config: RunConfig, folder: Path, output: Path | None = None) -> EqProject:
    """Return the project with its settings read, or made first."""
    return EqProject(config, open_eq_data(config, output or folder))


def _positives(labels: Tensor) -> dict[str, Tensor]:
    """Return the share of anchors of the global batch, and the mean logarithm of their positives.

    The contrast cannot fall below the latter: an anchor's softmax is shared by its positives.
    """
    own: Int[Tensor, " sample"] = share_a_label(gather_rows(labels)).sum(dim=1)
    anchor = own > 0
    logs = own.clamp_min(1).float().log().sum() / anchor.sum().clamp_min(1)
    return {"anchors": anchor.float().mean(), "log_positives": logs}
