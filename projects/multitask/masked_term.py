"""The loss term of masked modelling: hidden pixels, or what a teacher makes of the tokens."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schedule import value_at
from cinelex.config.schema import RunConfig
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.losses.latent import LatentModeling, spread_of_targets
from cinelex.losses.masked import MaskedModeling
from cinelex.models.latent_teacher import LatentTeacher, follow
from cinelex.models.tubelets import take_positions
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Group
from cinelex.projects.multitask.latent_results import latent_results
from cinelex.projects.multitask.masked_results import REBUILT, masked_results
from cinelex.projects.multitask.masked_task import (
    MaskedTask,
    Masking,
    add_teacher,
    masked_task_of,
)

MASKED = "masked_modeling"
CHANCE_STUDIES = 64
"""Training studies on which the chance of masked modelling is measured."""


class MaskedTerm:
    """What is hidden, what has to be predicted, and what that costs a model that knows nothing."""

    def __init__(self, config: RunConfig, task: MaskedTask, teacher: LatentTeacher | None) -> None:
        """Choose the loss.

        Args:
            config: The run.
            task: Which tokens are hidden.
            teacher: Who says what they are; None where the pixels do.
        """
        self.config, self.task, self.teacher = config, task, teacher
        self.pixels = MaskedModeling()
        self.latents = LatentModeling(error=config.masked_modeling.error)
        self.statistics: Mapping[str, Tensor] = {}

    def target(
        self, pixels: Float[Tensor, "clip channel frame row column"], masking: Masking
    ) -> Tensor:
        """Return the hidden pixels or, for latents, the places that something is predicted of."""
        if self.teacher is None:
            return self.task.masked_tubelets(pixels, masking)
        both = torch.cat([masking.keep, masking.hide], dim=1)
        return both if self.config.masked_modeling.visible else masking.hide

    def term(self, out: VideoTextOutputs, target: Tensor) -> Tensor:
        """Compare what was predicted with the target; note what is to be known of a teacher's."""
        assert out.reconstruction is not None
        if out.latents is None:
            return self.pixels(out.reconstruction, target)
        self.statistics = {
            f"chance/{MASKED}": self.latents.chance(out.latents),
            "teacher/spread": spread_of_targets(out.latents),
        }
        return self.latents(out.reconstruction, take_positions(out.latents, target))

    def follow(self, model: VideoText, step: int) -> Mapping[str, Tensor | float]:
        """Move the teacher by what the update before optimizer step ``step`` did to the encoder."""
        if self.teacher is None:
            return {}
        momentum = value_at(self.config.masked_modeling.ema, step=step, steps=self.config.steps)
        if step > 0:
            follow(self.teacher.encoder, model.video_encoder, momentum=momentum)
        distance = self.teacher.distance(model.video_encoder)
        return {"teacher/momentum": momentum, "teacher/distance": distance}

    @torch.no_grad()
    def chance(self, train: StudyDataset) -> float | None:
        """Return what knowing only averages costs; None for latents, whose batch tells it."""
        if self.teacher is not None:
            return None
        few = next(evaluation_batches(train, batch=CHANCE_STUDIES, rank=0, world_size=1))
        hidden = self.task.masked_tubelets(to_float(few.clips), self.task.draw(few))
        return float(self.pixels.chance(hidden))

    def results(self, model: VideoText, test: StudyDataset, folder: Path) -> Group:
        """Return what of held-out clips is predicted, beside what averages cost."""
        size = self.config.evaluation.batch
        if self.teacher is not None:
            return latent_results(model, test, self.task, batch=size)
        at = folder / REBUILT.path
        return masked_results(model, test, self.task, self.pixels, batch=size, picture=at)

    @property
    def pictures(self) -> Sequence[Picture]:
        """What `results` draws."""
        return [REBUILT] if self.teacher is None else []


def masked_term_of(config: RunConfig, model: VideoText) -> MaskedTerm | None:
    """Return the term, with the teacher that it may need among the model's companions.

    None where nothing is masked.
    """
    task = masked_task_of(config, model)
    return None if task is None else MaskedTerm(config, task, add_teacher(config, model))
