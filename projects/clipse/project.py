"""Image-text pretraining: images and captions matched, negatives counted by how alike they are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cinelex.config.build import build
from cinelex.config.schedule import value_at
from cinelex.config.schema import ClipseConfig, RunConfig
from cinelex.core.errors import UserError, about
from cinelex.data.batch import Batch
from cinelex.losses import BY_AFFINITY, NEGATIVES
from cinelex.losses.comparison import AnyComparison, compare, cross_entropy
from cinelex.losses.negative_weights import coverage, diversity
from cinelex.losses.similarity_aware import SimilarityAware
from cinelex.metrics.nulls import infonce_floor
from cinelex.models.latent_teacher import follow
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.projects.clipse.beside import blind_outcomes, chosen_share, floor_outcomes
from cinelex.projects.clipse.data import ClipseData, open_clipse_data, refuse_clips, refuse_no_root
from cinelex.projects.clipse.diagnostics import clipse_diagnostics
from cinelex.projects.clipse.results import (
    clipse_results,
    encode_images,
    keep_outcomes,
    loss_group,
    validation_numbers,
)
from cinelex.projects.clipse.teacher import (
    Taught,
    Teacher,
    affinity_of,
    ask,
    build_teacher,
    trained_teacher,
)
from cinelex.projects.clipse.terms import PLAIN
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import TermNulls
from cinelex.projects.studies.blind import METADATA
from cinelex.projects.studies.encoding import kept_of
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.project import ClipTextProject
from cinelex.projects.studies.ready import make_ready
from cinelex.projects.studies.rehearsal import rehearse_studies
from cinelex.projects.studies.tower_diagnostics import tower_diagnostics


@dataclass(frozen=True)
class ClipseOutputs:
    """All that the losses need of one batch."""

    model: VideoTextOutputs
    """What the towers say."""
    taught: Taught
    """What the teacher says."""


class ClipseProject(ClipTextProject[ClipseData, VideoText]):
    """Images and their captions, contrasted; what a negative weighs is the variant."""

    def __init__(self, config: RunConfig, data: ClipseData, folder: Path) -> None:
        """Set up the loss.

        Args:
            config: The run.
            data: Its images and its tokenizer.
            folder: The run's folder, where the tokenizer is.

        Raises:
            UserError: The loss asks for an affinity that nobody gives, or the reverse.
        """
        _refuse_mismatch(config.clipse)
        super().__init__(config, data)
        self.folder = folder
        self.loss = build(NEGATIVES, config.clipse.negatives, studies=len(data.train))
        self.teacher: Teacher | None = None
        self._progress = 0.0
        self._statistics: dict[str, Tensor | float] = {}

    def model(self) -> VideoText:
        """Build the towers, and let the teacher and the loss's memory travel with them."""
        model = build_video_text(self.config, self.data.tokenizer, self.data.towers)
        self.fit_text(model, (text for texts in self.data.known.captions for text in texts))
        self.teacher = build_teacher(
            self.config.clipse.affinity, self.data, model, folder=self.folder
        )
        self.loss = build(NEGATIVES, self.config.clipse.negatives, studies=len(self.data.train))
        if self.teacher is not None:
            model.companions["teacher"] = self.teacher
        if isinstance(self.loss, nn.Module):
            model.companions["loss"] = self.loss
        return model

    def ready(self, model: VideoText) -> Sequence[str]:
        """Run frozen towers once, and solve the closed form that the model may have."""
        asks = isinstance(self.teacher, VideoText) and self.config.clipse.affinity.alpha < 1
        pixels_for = "the teacher of clipse.affinity looks at pixels" if asks else None
        return make_ready(self, model, lambda split: split.captions, pixels_for=pixels_for)

    def outputs(self, model: nn.Module, batch: Batch) -> ClipseOutputs:
        """Encode images and captions, and ask the teacher."""
        pad = self.data.tokenizer.pad_id
        pixels = self.pixels(model, batch)
        alpha = self.config.clipse.affinity.alpha
        return ClipseOutputs(
            model=model(
                pixels,
                batch.owner,
                batch.token_ids,
                self.attention_mask(batch),
                max_clips=max(batch.clip_counts),
                kept=kept_of(batch),
            ),
            taught=ask(self.teacher, batch, pixels, alpha=alpha, pad_id=pad),
        )

    def losses(self, outputs: ClipseOutputs, batch: Batch) -> Mapping[str, Tensor]:
        """Compare every image with every caption of the global batch."""
        out = outputs.model
        affinity = affinity_of(self.config.clipse.affinity, outputs.taught, out, batch.report_group)
        comparison = compare(
            out.study,
            out.report,
            temperature=out.temperature,
            index=batch.patient_group,
            affinity=affinity,
        )
        scored = self.loss(comparison, progress=self._progress)
        self._statistics = self._band(comparison)
        if scored.log_weight is not None and len(comparison.index) > 1:
            self._statistics |= diversity(scored.log_weight)
        return {"contrastive": scored.loss, PLAIN: cross_entropy(comparison)}

    def statistics(self) -> Mapping[str, Tensor | float]:
        """Return how different the weights of the last batch were, and what the band held."""
        return self._statistics

    def _band(self, comparison: AnyComparison) -> dict[str, Tensor | float]:
        weighting = self.loss.weighting if isinstance(self.loss, SimilarityAware) else None
        edges = getattr(weighting, "edges", None)
        if not isinstance(edges, Tensor):
            return {}
        low, high = edges.detach().clone().unbind()
        return {
            "weights/coverage": coverage(comparison.known_affinity(), edges),
            "weights/band_low": low,
            "weights/band_high": high,
        }

    def weights(self, step: int) -> Mapping[str, float]:
        """Return the weight of the contrastive term; plain InfoNCE is recorded and weighs 0."""
        weight = self.config.loss_weights["contrastive"]
        return {"contrastive": value_at(weight, step=step, steps=self.config.steps), PLAIN: 0.0}

    def prepare_step(self, model: VideoText, step: int) -> Mapping[str, Tensor | float]:
        """Set a scheduled temperature, and let a moving-average teacher follow the student."""
        numbers = super().prepare_step(model, step)
        self._progress = step / max(1, self.config.steps - 1)
        affinity = self.config.clipse.affinity
        if affinity.source == "ema" and step > 0 and self.teacher is not None:
            follow(self.teacher, model, momentum=affinity.momentum)
        return numbers

    def nulls(self, batch: Batch) -> Mapping[str, TermNulls]:
        """Return plain InfoNCE for a model that knows nothing; a weighted loss has no such one."""
        size = self.config.batch
        chance = math.log(size)
        plain = TermNulls(chance=chance, floor_at=lambda at: infonce_floor(size, at))
        baseline = self.config.clipse.negatives.name == "infonce"
        return {PLAIN: plain} | ({"contrastive": TermNulls(chance=chance)} if baseline else {})

    def diagnostics(self, model: VideoText) -> Mapping[str, Any]:
        """Return what is to be known of images, captions and labels."""
        data = clipse_diagnostics(self.data, batch=self.config.batch)
        return {**data, **tower_diagnostics(model)}

    def validate(self, model: VideoText) -> Mapping[str, float]:
        """Return held-out retrieval beside its chance; nothing where there is no such split."""
        if self.data.validation is None:
            return {}
        size, held_out = self.config.evaluation.batch, self.data.validation
        with self.trial.of(model):
            chosen = chosen_share(self.trial, model, held_out, batch=size)
            encoded = encode_images(model, held_out, batch=size)
        temperature, size = float(model.temperature().detach()), self.config.batch
        return {**chosen, **validation_numbers(encoded, temperature=temperature, batch=size)}

    def evaluate(self, model: VideoText, folder: Path) -> Results:
        """Return every result on the test images; ranks of each image go to ``predictions/``."""
        settings = self.config.evaluation
        encoded = encode_images(model, self.data.test, batch=settings.batch)
        outcomes = encoded.outcomes()
        keep_outcomes(folder / "predictions" / "retrieval.csv", self.data.test, outcomes)
        floors = floor_outcomes(
            model,
            self.data.known,
            self.data.test,
            encoded.owner,
            metadata=METADATA in settings.nulls,
            batch=settings.batch,
            seed=self.config.seed,
        ) | blind_outcomes(self.config, model, self.data.test, encoded)
        temperature = float(model.temperature().detach())
        return clipse_results(
            encoded,
            outcomes,
            floors,
            data=self.data,
            resamples=settings.bootstrap,
            seed=self.config.seed,
            losses=loss_group(encoded, temperature=temperature, batch=self.config.batch),
        )


def rehearse_clipse(config: RunConfig) -> None:
    """Try the towers on one image and one caption, and the loss with its teacher by name."""
    _refuse_mismatch(config.clipse)
    refuse_clips(config)
    refuse_no_root(config.clipse)
    with about("clipse.negatives"):
        build(NEGATIVES, config.clipse.negatives, studies=config.batch)
    if config.clipse.affinity.run is not None:
        trained_teacher(config.clipse.affinity.run)
    rehearse_studies(config, build_video_text)


def open_clipse(config: RunConfig, folder: Path, output: Path | None = None) -> ClipseProject:
    """Return the project with its images read and decoded."""
    return ClipseProject(config, open_clipse_data(config, folder, output=output), folder)


def _refuse_mismatch(clipse: ClipseConfig) -> None:
    name, source = clipse.negatives.name, clipse.affinity.source
    if name in BY_AFFINITY and source == "none":
        raise UserError(
            f"clipse.affinity.source: {name} weighs pairs by how alike they are; set labels, "
            "tfidf, run, ema or student"
        )
    if name not in BY_AFFINITY and source != "none":
        raise UserError(
            f"clipse.affinity.source: {name} does not read {source}; set none, or one of "
            f"{', '.join(BY_AFFINITY)} as clipse.negatives.name"
        )
