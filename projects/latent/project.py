"""Latent captioning: one latent a picture, which must caption, rebuild and match it."""

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
from cinelex.metrics.nulls import captioning_chance
from cinelex.models.latent_captioner import LatentCaptioner, LatentOutputs
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls
from cinelex.projects.latent.parts import build_latent_captioner, make_engravings
from cinelex.projects.latent.results import latent_group, rebuild, reconstruction_group
from cinelex.projects.latent.samples import draw_contact_sheet, draw_interpolation
from cinelex.projects.latent.terms import TERMS
from cinelex.projects.studies.beside import write_beside
from cinelex.projects.studies.contrast import contrast, contrastive_nulls
from cinelex.projects.studies.data import StudyData, open_study_data
from cinelex.projects.studies.diagnostics import study_diagnostics
from cinelex.projects.studies.encoding import device_of, evaluating
from cinelex.projects.studies.evaluation import study_results, validation_numbers
from cinelex.projects.studies.held_out_losses import held_out_losses
from cinelex.projects.studies.model_checks import study_checks
from cinelex.projects.studies.project import ClipTextProject
from cinelex.projects.studies.rehearsal import rehearse_studies

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


class LatentProject(ClipTextProject[StudyData, LatentCaptioner]):
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
        model = build_latent_captioner(self.config, self.data.tokenizer, self.data.towers)
        self._bias = bias_level(latent=model.latent_head.latent, fan_in=model.latent_head.fan_in)
        return model

    def outputs(self, model: nn.Module, batch: Batch) -> PictureOutputs:
        """Encode pictures to latents, and write, rebuild and embed from these alone."""
        pixels = self.pixels(model, batch)
        texts = batch.token_ids, self.attention_mask(batch), batch.text_buckets
        return PictureOutputs(model(pixels, batch.owner, *texts), pixels)

    def losses(self, outputs: PictureOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Match latents with descriptions, and compare what was written and rebuilt from them."""
        out = outputs.model
        self._latent = out.latent.detach()
        return {
            "alignment": contrast(self.alignment, out, batch),
            "captioning": self.captioning.of(
                out.caption_logits, out.caption_costs, batch.token_ids
            ),
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
        return {name: value_at(given.get(name, 0.0), step=step, steps=steps) for name in TERMS}

    def nulls(self, batch: Batch) -> Mapping[str, TermNulls]:
        """Return what each term is for a model that knows nothing of the pictures."""
        pixels = to_float(batch.clips)
        mean = self.reconstruction(self._mean_picture.expand_as(pixels), pixels)
        return {
            "alignment": contrastive_nulls(self.config, batch),
            "captioning": TermNulls(chance=captioning_chance(self.data.tokenizer.vocab_size)),
            "reconstruction": TermNulls(chance=float(mean)),
        }

    @cached_property
    def _mean_picture(self) -> Float[Tensor, "channel frame row column"]:
        """The mean of training pictures, normalized: what predicting the mean predicts."""
        few = next(evaluation_batches(self.data.train, batch=MEAN_STUDIES, rank=0, world_size=1))
        return to_float(few.clips).mean(dim=0)

    @torch.no_grad()
    def representations(self, model: LatentCaptioner) -> Mapping[str, Tensor]:
        """Return the same few held-out pictures and their descriptions as the model sees them."""
        watched = self.data.validation or self.data.train
        few = next(evaluation_batches(watched, batch=WATCHED_STUDIES, rank=0, world_size=1))
        few = few.to(device_of(model))
        studies = model.encode_study(to_float(few.clips), few.owner, studies=few.studies)
        reports = model.encode_report(few.token_ids, self.attention_mask(few))
        return {"study": studies.study, "report": reports.report}

    def diagnostics(self, model: LatentCaptioner) -> Mapping[str, Any]:
        """Return what is to be known of pictures, descriptions and the fresh model."""
        watched, pad = self.data.validation or self.data.train, self.data.tokenizer.pad_id
        with evaluating(model):
            checks = study_checks(model, watched, partial(self.terms, model), pad_id=pad)
        return {**study_diagnostics(self.data, self.config), **checks}

    def validate(self, model: LatentCaptioner) -> Mapping[str, float]:
        """Return held-out retrieval and reconstruction beside their nulls, if there is a split."""
        if self.data.validation is None:
            return {}
        batch = self.config.evaluation.batch
        rebuilt = rebuild(model, self.data.validation, self._mean_picture, batch=batch)
        return {
            **validation_numbers(model, self.data.validation, batch=batch),
            "reconstruction/mse": rebuilt.mean("model"),
            "reconstruction/mse/mean_picture": rebuilt.mean("mean_picture"),
        }

    def evaluate(self, model: LatentCaptioner, folder: Path) -> Results:
        """Return every result on the test studies, each beside its nulls, and draw samples."""
        config, data, settings = self.config, self.data, self.config.evaluation
        found = study_results(config, data, model, folder, written=write_beside(self, model))
        rebuilt = rebuild(model, data.test, self._mean_picture, batch=settings.batch)
        groups = [
            *found.groups,
            held_out_losses(self, model, TERMS, data.test, data.train, batch=config.batch),
            reconstruction_group(rebuilt, resamples=settings.bootstrap, seed=config.seed),
            latent_group(rebuilt.latent, fan_in=model.latent_head.fan_in),
        ]
        most, steps = settings.max_new_tokens, config.latent.interpolation_steps
        pictures = [
            draw_contact_sheet(model, data.test, folder, max_tokens=most),
            draw_interpolation(model, data.test, folder, steps=steps, max_tokens=most),
        ]
        shown = [picture for picture in pictures if picture is not None]
        return Results(groups=groups, counts=found.counts, tables=found.tables, pictures=shown)


def rehearse_latent(config: RunConfig) -> None:
    """Try the model on one picture and one description."""
    rehearse_studies(config, build_latent_captioner)


def open_latent(config: RunConfig, folder: Path, output: Path | None = None) -> LatentProject:
    """Return the project with its pictures read and decoded, or made first."""
    data = open_study_data(config, folder, made=make_engravings, output=output)
    return LatentProject(config, data)
