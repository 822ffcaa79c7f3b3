"""Latent captioning: one latent a picture, which must caption, rebuild and match it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.config.build import build
from cinelex.config.schedule import value_at
from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.data.loader import evaluation_batches
from cinelex.data.video.transforms import to_float
from cinelex.losses import CONTRASTIVE
from cinelex.losses.captioning import Captioning
from cinelex.losses.reconstruction import Reconstruction
from cinelex.metrics.latent import BiasLevel, bias_level, latent_statistics
from cinelex.models.latent_captioner import LatentCaptioner, LatentOutputs
from cinelex.projects.latent.parts import build_latent_captioner
from cinelex.projects.latent.results import (
    latent_table,
    rebuild,
    reconstruction_table,
)
from cinelex.projects.latent.samples import draw_contact_sheet, draw_interpolation
from cinelex.projects.studies import tables as study_tables
from cinelex.projects.studies.contrastive_nulls import (
    contrastive_chance,
    contrastive_floor,
    floor_of_duplicates,
)
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.diagnostics import study_diagnostics
from cinelex.projects.studies.encoding import device_of, evaluating
from cinelex.projects.studies.evaluation import (
    StudyEvaluation,
    validation_numbers,
)
from cinelex.projects.studies.held_out_losses import held_out_losses
from cinelex.projects.studies.model_checks import study_checks
from cinelex.projects.studies.project import ClipTextProject
from cinelex.projects.studies.temperature import set_temperature

WATCHED_STUDIES = 48
"""Held-out studies whose embeddings are looked at while the model trains; nothing in the model
depends on whether it trains."""
MEAN_STUDIES = 512
"""Training studies whose mean picture is the null of reconstruction."""


@dataclass(frozen=True)
class PictureOutputs:
    """All that the losses need of one batch."""

    model: LatentOutputs
    """What the model says."""
    pixels: Float[Tensor, "clip channel frame row column"]
    """The pictures as it saw them, normalized."""


class LatentProject(ClipTextProject[StudyData]):
    """Pictures and their descriptions, with nothing between them but the latent."""

    def __init__(self, config: RunConfig, data: StudyData) -> None:
        """Set up the three losses.

        Args:
            config: The run.
            data: Its studies and its tokenizer.
        """
        super().__init__(config, data)
        self.alignment = build(CONTRASTIVE, config.contrastive)
        self.captioning = Captioning(pad_id=data.tokenizer.pad_id)
        self.reconstruction = Reconstruction()
        self._latent: Tensor | None = None
        self._bias: BiasLevel | None = None

    def model(self) -> LatentCaptioner:
        """Build the parts, freshly initialised, and join them."""
        model = build_latent_captioner(self.config, self.data.tokenizer)
        self._bias = bias_level(latent=model.latent_head.latent, fan_in=model.latent_head.fan_in)
        return model

    def outputs(self, model: nn.Module, batch: Batch) -> PictureOutputs:
        """Encode pictures to latents, and write, rebuild and embed from these alone."""
        pixels = self.pixels(model, batch)
        attention_mask = self.attention_mask(batch)
        return PictureOutputs(model(pixels, batch.owner, batch.token_ids, attention_mask), pixels)

    def losses(self, outputs: PictureOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Match latents with descriptions, and compare what was written and rebuilt from them."""
        out = outputs.model
        self._latent = out.latent.detach()
        bias = {} if out.bias is None else {"bias": out.bias}
        return {
            "alignment": self.alignment(
                out.study,
                out.report,
                temperature=out.temperature,
                **bias,
                report_group=batch.report_group,
                patient_group=batch.patient_group,
            ),
            "captioning": self.captioning(out.caption_logits, batch.token_ids),
            "reconstruction": self.reconstruction(out.reconstruction, outputs.pixels),
        }

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return level and geometry of the global batch's latents, and the level of a mere bias."""
        assert self._latent is not None
        assert self._bias is not None
        rows = gather_rows(self._latent.float())
        found = {f"latent/{name}": value for name, value in latent_statistics(rows).items()}
        return {**found, "latent/std/bias": self._bias.std, "latent/norm/bias": self._bias.norm}

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""
        given, steps = self.config.loss_weights, self.config.steps
        return {
            "alignment": value_at(given.get("alignment", 0.0), step=step, steps=steps),
            "captioning": value_at(given.get("captioning", 0.0), step=step, steps=steps),
            "reconstruction": value_at(given.get("reconstruction", 0.0), step=step, steps=steps),
        }

    def prepare_step(self, model: nn.Module, step: int) -> Mapping[str, Tensor | float]:
        """Set a scheduled temperature; return the temperature of this step."""
        assert isinstance(model, LatentCaptioner)
        return set_temperature(model.temperature, self.config, step=step)

    def chances(self, batch: Batch) -> Mapping[str, float]:
        """Return what each term is for a model that knows nothing of the pictures."""
        pixels = to_float(batch.clips)
        return {
            "chance/alignment": contrastive_chance(
                self.config.contrastive, batch.report_group, batch.patient_group
            ),
            "floor/alignment/duplicates": floor_of_duplicates(
                self.config.contrastive, batch.report_group
            ),
            "chance/captioning": math.log(self.data.tokenizer.vocab_size),
            "chance/reconstruction": float(
                self.reconstruction(self._mean_picture.expand_as(pixels), pixels)
            ),
        }

    @cached_property
    def _mean_picture(self) -> Float[Tensor, "channel frame row column"]:
        """The mean of training pictures, normalized: what predicting the mean predicts."""
        few = next(evaluation_batches(self.data.train, batch=MEAN_STUDIES, rank=0, world_size=1))
        return to_float(few.clips).mean(dim=0)

    def floors(self, numbers: Mapping[str, float]) -> Mapping[str, float]:
        """Return the least that the alignment can be at the recorded temperature."""
        floor = contrastive_floor(
            self.config.contrastive,
            studies=self.config.batch,
            temperature=numbers["temperature"],
        )
        return {"floor/alignment": max(floor, numbers["floor/alignment/duplicates"])}

    @torch.no_grad()
    def representations(self, model: nn.Module) -> Mapping[str, Tensor]:
        """Return the same few held-out pictures and their descriptions as the model sees them."""
        assert isinstance(model, LatentCaptioner)
        watched = self.data.validation or self.data.train
        few = next(evaluation_batches(watched, batch=WATCHED_STUDIES, rank=0, world_size=1))
        few = few.to(device_of(model))
        read = model.encode_study(to_float(few.clips), few.owner, studies=few.studies)
        told = model.encode_report(few.token_ids, self.attention_mask(few))
        return {"study": read.study, "report": told.report}

    def diagnostics(self, model: nn.Module) -> Mapping[str, Any]:
        """Return what is to be known of pictures, descriptions and the fresh model."""
        assert isinstance(model, LatentCaptioner)
        watched, pad = self.data.validation or self.data.train, self.data.tokenizer.pad_id
        with evaluating(model):
            checks = study_checks(model, watched, partial(self.terms, model), pad_id=pad)
        bias = {} if model.bias is None else {"model/bias": float(model.bias.detach())}
        return {**study_diagnostics(self.data, batch=self.config.batch), **checks, **bias}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Return held-out retrieval and reconstruction beside their nulls, if there is a split."""
        assert isinstance(model, LatentCaptioner)
        if self.data.validation is None:
            return {}
        batch = self.config.evaluation.batch
        rebuilt = rebuild(model, self.data.validation, self._mean_picture, batch=batch)
        return {
            **validation_numbers(model, self.data.validation, batch=batch),
            "reconstruction/mse": rebuilt.mean("model"),
            "reconstruction/mse/mean_picture": rebuilt.mean("mean_picture"),
        }

    def evaluate(self, model: nn.Module, folder: Path) -> Mapping[str, Any]:
        """Return every result on the test studies, each beside its nulls, and draw samples."""
        assert isinstance(model, LatentCaptioner)
        config, test = self.config, self.data.test
        results = StudyEvaluation(config, self.data, model, folder).results()
        results["losses"] = held_out_losses(
            lambda batch: self.terms(model, batch),
            self.chances,
            test,
            self.data.train,
            batch=config.batch,
            device=device_of(model),
        )
        rebuilt = rebuild(model, test, self._mean_picture, batch=config.evaluation.batch)
        tables = [
            reconstruction_table(rebuilt, resamples=config.evaluation.bootstrap, seed=config.seed),
            latent_table(rebuilt.latent, fan_in=model.latent_head.fan_in),
        ]
        token_ids = config.evaluation.max_new_tokens
        pictures = [
            draw_contact_sheet(model, test, folder, max_tokens=token_ids),
            draw_interpolation(
                model, test, folder, steps=config.latent.interpolation_steps, max_tokens=token_ids
            ),
        ]
        return {
            **results,
            "tables": [table.as_json() for table in tables],
            "pictures": [picture.as_json() for picture in pictures if picture is not None],
        }

    def infer(self, model: nn.Module, folder: Path) -> Path:
        """Write nearest descriptions and captions of the test studies, which need none."""
        assert isinstance(model, LatentCaptioner)
        return study_tables.describe(self.config, self.data, model, folder)

    def embed(self, model: nn.Module, folder: Path, *, provenance: Mapping[str, str]) -> Path:
        """Write the embeddings of every study, picture and description, with ids and hashes."""
        assert isinstance(model, LatentCaptioner)
        return study_tables.embed(self.config, self.data, model, folder, provenance=provenance)
