"""Multitask pretraining: one video-text model, trained on several losses at once."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.config.build import build
from cinelex.config.schedule import active_weights, weights_at
from cinelex.config.schema import RunConfig
from cinelex.data.batch import Batch
from cinelex.data.studies.dataset import StudyDataset
from cinelex.losses import CONTRASTIVE
from cinelex.losses.captioning import Captioning
from cinelex.losses.patch import PatchContrastive
from cinelex.metrics.nulls import captioning_chance
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls
from cinelex.projects.multitask.counterfactual_task import COUNTERFACTUAL, CounterfactualTask
from cinelex.projects.multitask.diagnostics import frozen_shares, masking_checks
from cinelex.projects.multitask.fact_task import FactTask
from cinelex.projects.multitask.masked_term import MASKED, MaskedTerm, masked_term_of
from cinelex.projects.multitask.outputs import MultitaskOutputs
from cinelex.projects.multitask.terms import TERMS
from cinelex.projects.multitask.view_task import VIEWS, ViewTask, view_task_of
from cinelex.projects.studies.beside import write_beside
from cinelex.projects.studies.blind import Blind
from cinelex.projects.studies.captions import Written
from cinelex.projects.studies.contrast import contrast, contrastive_nulls
from cinelex.projects.studies.data import StudyData, open_study_data
from cinelex.projects.studies.diagnostics import study_diagnostics, view_diagnostics
from cinelex.projects.studies.encoding import (
    encode_reports,
    encode_studies,
    evaluating,
    first_of_each_report,
    kept_of,
)
from cinelex.projects.studies.evaluation import study_results, validation_numbers
from cinelex.projects.studies.held_out_losses import held_out_losses, held_out_numbers
from cinelex.projects.studies.model_checks import study_checks
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.project import ClipTextProject
from cinelex.projects.studies.ready import make_ready
from cinelex.projects.studies.trial import chosen_share, own_texts

WATCHED_STUDIES = 48
"""Held-out studies whose embeddings are looked at while the model trains."""


class MultitaskProject(ClipTextProject[StudyData, VideoText]):
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
        self.fact_task = FactTask(config, data) if "facts" in self._weights else None
        self.masked: MaskedTerm | None = None
        self.view_task: ViewTask | None = None
        self.twin_task = (
            CounterfactualTask(config, data) if COUNTERFACTUAL in self._weights else None
        )

    def model(self) -> VideoText:
        """Build the parts that the losses need, freshly initialised, and join them."""
        model = build_video_text(self.config, self.data.tokenizer, self.data.towers)
        self.fit_text(model, self.data.known.token_ids)
        self.masked = masked_term_of(self.config, model)
        self.view_task = view_task_of(self.config, self.data, model)
        if self.fact_task:
            self.fact_task.prepare(model)
        return model

    def outputs(self, model: nn.Module, batch: Batch) -> MultitaskOutputs:
        """Encode videos and reports, write captions, and rebuild what was masked."""
        pixels = self.pixels(model, batch)
        masking = self.masked.task.draw(batch) if self.masked else None
        twins = self.twin_task.draw(batch) if self.twin_task else None
        out: VideoTextOutputs = model(
            pixels,
            batch.owner,
            batch.token_ids,
            self.attention_mask(batch),
            keep=masking.keep if masking else None,
            hide=masking.hide if masking else None,
            masked=masking.clips if masking else None,
            max_clips=max(batch.clip_counts),
            kept=kept_of(batch),
            twins=(twins.token_ids, twins.attention_mask) if twins else None,
        )
        target = self.masked.target(pixels, masking) if self.masked and masking else None
        return MultitaskOutputs(out, target, twins.there if twins else None)

    def losses(self, outputs: MultitaskOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Match studies with reports, caption them, and compare what was rebuilt."""
        out = outputs.model
        terms = {"contrastive": contrast(self.contrastive, out, batch)}
        if out.captions is not None:
            terms["captioning"] = self.captioning.of(*out.captions, batch.token_ids)
        if self.masked and outputs.masked_target is not None:
            terms[MASKED] = self.masked.term(out, outputs.masked_target)
        if self.fact_task and out.facts is not None:
            terms["facts"] = self.fact_task.term(out.facts, batch)
        if self.twin_task and outputs.twins is not None:
            terms[COUNTERFACTUAL] = self.twin_task.term(out, outputs.twins)
        if self.view_task:
            terms[VIEWS] = self.view_task.term(out, batch)
        if out.patches is not None:
            assert out.patch_mask is not None
            assert out.token_features is not None
            terms["patch_contrastive"] = self.patch_contrastive(
                out.patches,
                out.patch_mask,
                out.token_features,
                self.attention_mask(batch),
                temperature=out.temperature,
                report_group=batch.report_group,
                patient_group=batch.patient_group,
            )
        return terms

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return what is to be known of the teacher's targets of the last batch."""
        return self.masked.statistics if self.masked else {}

    def prepare_step(self, model: VideoText, step: int) -> Mapping[str, Tensor | float]:
        """Set a scheduled temperature, and let the teacher of masked modelling follow."""
        moved = self.masked.follow(model, step) if self.masked else {}
        return {**super().prepare_step(model, step), **moved}

    @cached_property
    def _masked_chance(self) -> float | None:
        """Measured once, on the first training studies."""
        return self.masked.chance(self.data.train) if self.masked else None

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of each term at optimizer step ``step``, from 0."""
        return {"contrastive": 0.0, **weights_at(self.config, step)}

    def nulls(self, batch: Batch) -> Mapping[str, TermNulls]:
        """Return what each term is for a model that knows nothing."""
        contrastive = contrastive_nulls(self.config, batch)
        nulls = {"contrastive": contrastive}
        if "captioning" in self._weights:
            vocab = self.data.tokenizer.vocab_size
            nulls["captioning"] = TermNulls(chance=captioning_chance(vocab))
        if self.fact_task:
            nulls["facts"] = TermNulls(chance=self.fact_task.labels.chance(batch.study_ids))
        if self.twin_task:
            nulls[COUNTERFACTUAL] = TermNulls(chance=math.log(2))
        if self.view_task:
            nulls[VIEWS] = TermNulls(chance=self.view_task.chance(batch))
        if "patch_contrastive" in self._weights:
            nulls["patch_contrastive"] = TermNulls(chance=contrastive.chance)
        if self.masked:
            nulls[MASKED] = TermNulls(chance=self._masked_chance)
        return nulls

    @cached_property
    def _watched(self) -> StudyDataset:
        """The first held-out studies with a report of their own."""
        return first_of_each_report(
            self.data.validation or self.data.train, max_studies=WATCHED_STUDIES
        )

    @torch.no_grad()
    def representations(self, model: VideoText) -> Mapping[str, Tensor]:
        """Return the same few studies and their reports as the model sees them now."""
        batch = self.config.evaluation.batch
        with evaluating(model):
            return {
                "study": encode_studies(model, self._watched, batch=batch),
                "report": encode_reports(model, self._watched, batch=batch),
            }

    def diagnostics(self, model: VideoText) -> Mapping[str, Any]:
        """Return what is to be known of studies, reports, videos and the fresh model."""
        watched, pad = self.data.validation or self.data.train, self.data.tokenizer.pad_id
        with evaluating(model):
            checks = study_checks(model, watched, partial(self.terms, model), pad_id=pad)
            if self.masked:
                checks |= masking_checks(model, watched, self.masked.task)
        data = study_diagnostics(self.data, self.config) | view_diagnostics(self.data)
        return {**data, **checks, **frozen_shares(model, self.config.model)}

    def ready(self, model: VideoText) -> Sequence[str]:
        """Run frozen towers once, and solve the closed form that the model may have."""
        pixels_for = "masked modelling fills in pixels" if self.masked else None
        return make_ready(self, model, own_texts, pixels_for=pixels_for)

    def write(
        self, model: VideoText, dataset: StudyDataset | Blind, *, beside: bool = False
    ) -> Written | None:
        """Return captions that state what the heads found, where there are heads."""
        if self.fact_task is None or model.caption_decoder is None or not self.fact_task.tells:
            return super().write(model, dataset, beside=beside)
        return self.fact_task.write(model, dataset, beside=beside)

    def columns(self, model: VideoText, dataset: StudyDataset) -> Mapping[str, Sequence[Any]]:
        """Return what the heads found in each study, by the name of a column."""
        return self.fact_task.columns(model, dataset) if self.fact_task else {}

    def validate(self, model: VideoText) -> Mapping[str, float]:
        """Return held-out retrieval beside its chance; nothing where there is no such split."""
        if self.data.validation is None:
            return {}
        config, held_out = self.config, self.data.validation
        with self.trial.of(model):
            return {
                **chosen_share(self.trial, model, held_out, batch=config.evaluation.batch),
                **validation_numbers(model, held_out, batch=config.evaluation.batch),
                **held_out_numbers(self, model, held_out, batch=config.batch),
            }

    def evaluate(self, model: VideoText, folder: Path) -> Results:
        """Return every result on the test studies, each beside its nulls."""
        config, data = self.config, self.data
        found = study_results(config, data, model, folder, written=write_beside(self, model))
        losses = held_out_losses(self, model, TERMS, data.test, data.train, batch=config.batch)
        groups, tables = [*found.groups, losses], [*found.tables]
        if self.fact_task:
            more, rows = self.fact_task.results(model, folder)
            groups, tables = [*groups, *more], [*tables, *rows]
        if self.masked:
            groups.append(self.masked.results(model, data.test, folder))
        pictures = self.masked.pictures if self.masked else []
        return Results(groups=groups, counts=found.counts, tables=tables, pictures=pictures)


def open_multitask(config: RunConfig, folder: Path, output: Path | None = None) -> MultitaskProject:
    """Return the project with its studies read and decoded."""
    return MultitaskProject(config, open_study_data(config, folder, output=output))
