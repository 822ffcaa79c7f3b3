"""Multitask pretraining: one video-text model, trained on several losses at once."""

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
from cinelex.config.schedule import active_weights, value_at
from cinelex.config.schema import RunConfig
from cinelex.data.batch import Batch
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.losses import CONTRASTIVE
from cinelex.losses.captioning import Captioning
from cinelex.losses.masked import MaskedModeling
from cinelex.losses.patch import PatchContrastive
from cinelex.models.video_text import VideoText, VideoTextOutputs
from cinelex.projects.multitask.masked_results import masked_results
from cinelex.projects.multitask.masked_task import MaskedTask
from cinelex.projects.studies import tables as study_tables
from cinelex.projects.studies.contrastive_nulls import (
    contrastive_chance,
    contrastive_floor,
    floor_of_duplicates,
)
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.diagnostics import study_diagnostics, view_diagnostics
from cinelex.projects.studies.encoding import (
    device_of,
    encode_reports,
    encode_studies,
    evaluating,
    first_of_each_report,
)
from cinelex.projects.studies.evaluation import (
    StudyEvaluation,
    validation_numbers,
)
from cinelex.projects.studies.held_out_losses import held_out_losses
from cinelex.projects.studies.model_checks import (
    frozen_shares,
    masking_checks,
    study_checks,
)
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.project import ClipTextProject
from cinelex.projects.studies.temperature import set_temperature

CHANCE_STUDIES = 64
"""Training studies on which the chance of masked modelling is measured."""
WATCHED_STUDIES = 48
"""Held-out studies whose embeddings are looked at while the model trains."""


@dataclass(frozen=True)
class MultitaskOutputs:
    """All that the losses need of one batch."""

    model: VideoTextOutputs
    """What the model says."""
    masked_tubelets: Float[Tensor, "masked hidden pixel"] | None
    """The pixels that it did not see; None where nothing is masked."""


class MultitaskProject(ClipTextProject[StudyData]):
    """Studies and their reports: matched, captioned, and filled in where they were hidden."""

    def __init__(self, config: RunConfig, data: StudyData) -> None:
        """Set up the losses whose weight is ever above zero.

        Args:
            config: The run.
            data: Its studies and its tokenizer.
        """
        super().__init__(config, data)
        self._weights = active_weights(config)
        self.contrastive = build(CONTRASTIVE, config.contrastive)
        self.patch_contrastive = PatchContrastive()
        self.captioning = Captioning(pad_id=data.tokenizer.pad_id)
        self.masked = MaskedModeling()
        self.masked_task: MaskedTask | None = None

    def model(self) -> VideoText:
        """Build the parts that the losses need, freshly initialised, and join them."""
        model = build_video_text(self.config, self.data.tokenizer)
        if model.masked_decoder is not None:
            self.masked_task = MaskedTask(
                grid=model.video_encoder.grid,
                tubelet=model.video_encoder.tubelet,
                ratio=self.config.model.mask_ratio,
                clips_per_study=self.config.model.masked_clips,
            )
        return model

    def outputs(self, model: nn.Module, batch: Batch) -> MultitaskOutputs:
        """Encode videos and reports, write captions, and rebuild what was masked."""
        pixels = self.pixels(model, batch)
        masking = self.masked_task.draw(batch) if self.masked_task else None
        out: VideoTextOutputs = model(
            pixels,
            batch.owner,
            batch.token_ids,
            self.attention_mask(batch),
            keep=masking.keep if masking else None,
            hide=masking.hide if masking else None,
            masked=masking.clips if masking else None,
            max_clips=max(batch.clip_counts),
        )
        if self.masked_task is None or masking is None:
            return MultitaskOutputs(out, None)
        return MultitaskOutputs(out, self.masked_task.masked_tubelets(pixels, masking))

    def losses(self, outputs: MultitaskOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Match studies with reports, caption them, and compare what was rebuilt."""
        out = outputs.model
        groups = {"report_group": batch.report_group, "patient_group": batch.patient_group}
        bias = {} if out.bias is None else {"bias": out.bias}
        terms = {
            "contrastive": self.contrastive(
                out.study, out.report, temperature=out.temperature, **bias, **groups
            )
        }
        if out.caption_logits is not None:
            terms["captioning"] = self.captioning(out.caption_logits, batch.token_ids)
        if outputs.masked_tubelets is not None and out.reconstruction is not None:
            terms["masked_modeling"] = self.masked(out.reconstruction, outputs.masked_tubelets)
        if out.patches is not None:
            assert out.patch_mask is not None
            assert out.token_features is not None
            terms["patch_contrastive"] = self.patch_contrastive(
                out.patches,
                out.patch_mask,
                out.token_features,
                self.attention_mask(batch),
                temperature=out.temperature,
                **groups,
            )
        return terms

    @cached_property
    @torch.no_grad()
    def _masked_chance(self) -> float:
        """Measured once, on the first training studies: what knowing only averages costs."""
        assert self.masked_task is not None
        few = next(evaluation_batches(self.data.train, batch=CHANCE_STUDIES, rank=0, world_size=1))
        hidden = self.masked_task.masked_tubelets(to_float(few.clips), self.masked_task.draw(few))
        return float(self.masked.chance(hidden))

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""
        steps = self.config.steps
        weights = {name: value_at(w, step=step, steps=steps) for name, w in self._weights.items()}
        return {"contrastive": 0.0, **weights}

    def prepare_step(self, model: nn.Module, step: int) -> Mapping[str, Tensor | float]:
        """Set a scheduled temperature; return the temperature of this step."""
        assert isinstance(model, VideoText)
        return set_temperature(model.temperature, self.config, step=step)

    def chances(self, batch: Batch) -> Mapping[str, float]:
        """Return what each term is for a model that knows nothing."""
        contrastive = contrastive_chance(
            self.config.contrastive, batch.report_group, batch.patient_group
        )
        chances = {
            "chance/contrastive": contrastive,
            "floor/contrastive/duplicates": floor_of_duplicates(
                self.config.contrastive, batch.report_group
            ),
        }
        if "captioning" in self._weights:
            chances["chance/captioning"] = math.log(self.data.tokenizer.vocab_size)
        if "patch_contrastive" in self._weights:
            chances["chance/patch_contrastive"] = contrastive
        if self.masked_task:
            chances["chance/masked_modeling"] = self._masked_chance
        return chances

    def floors(self, numbers: Mapping[str, float]) -> Mapping[str, float]:
        """Return the least that the contrastive term can be at the recorded temperature."""
        floor = contrastive_floor(
            self.config.contrastive,
            studies=self.config.batch,
            temperature=numbers["temperature"],
        )
        return {"floor/contrastive": max(floor, numbers["floor/contrastive/duplicates"])}

    @cached_property
    def _watched(self) -> StudyDataset:
        """The first held-out studies with a report of their own."""
        return first_of_each_report(self.data.validation or self.data.train, most=WATCHED_STUDIES)

    @torch.no_grad()
    def representations(self, model: nn.Module) -> Mapping[str, Tensor]:
        """Return the same few studies and their reports as the model sees them now."""
        assert isinstance(model, VideoText)
        batch = self.config.evaluation.batch
        with evaluating(model):
            return {
                "study": encode_studies(model, self._watched, batch=batch),
                "report": encode_reports(model, self._watched, batch=batch),
            }

    def diagnostics(self, model: nn.Module) -> Mapping[str, Any]:
        """Return what is to be known of studies, reports, videos and the fresh model."""
        assert isinstance(model, VideoText)
        parts = self.config.model
        asked = {
            "video_encoder": parts.video_freeze_ratio,
            "text_encoder": parts.text_freeze_ratio,
        }
        watched, pad = self.data.validation or self.data.train, self.data.tokenizer.pad_id
        with evaluating(model):
            checks = study_checks(model, watched, partial(self.terms, model), pad_id=pad)
            if self.masked_task is not None:
                checks |= masking_checks(model, watched, self.masked_task)
        bias = {} if model.bias is None else {"model/bias": float(model.bias.detach())}
        data = study_diagnostics(self.data, batch=self.config.batch)
        data |= view_diagnostics(self.data)
        return {**data, **checks, **frozen_shares(model, asked=asked), **bias}

    def validate(self, model: nn.Module) -> Mapping[str, float]:
        """Return held-out retrieval beside its chance; nothing where there is no such split."""
        assert isinstance(model, VideoText)
        if self.data.validation is None:
            return {}
        return validation_numbers(model, self.data.validation, batch=self.config.evaluation.batch)

    def evaluate(self, model: nn.Module, folder: Path) -> Mapping[str, Any]:
        """Return every result on the test studies, each beside its nulls."""
        assert isinstance(model, VideoText)
        results = StudyEvaluation(self.config, self.data, model, folder).results()
        results["losses"] = held_out_losses(
            lambda batch: self.terms(model, batch),
            self.chances,
            self.data.test,
            self.data.train,
            batch=self.config.batch,
            device=device_of(model),
        )
        if self.masked_task:
            results["masked_modeling"] = masked_results(
                model,
                self.data.test,
                self.masked_task,
                self.masked,
                batch=self.config.evaluation.batch,
                picture=folder / "predictions" / "masked.png",
            )
        return results

    def infer(self, model: nn.Module, folder: Path) -> Path:
        """Write nearest reports, captions and facts of the test studies, which need no report."""
        assert isinstance(model, VideoText)
        return study_tables.describe(self.config, self.data, model, folder)

    def embed(self, model: nn.Module, folder: Path, *, provenance: Mapping[str, str]) -> Path:
        """Write the embeddings of every study, clip and report, with ids and hashes."""
        assert isinstance(model, VideoText)
        return study_tables.embed(self.config, self.data, model, folder, provenance=provenance)
