"""Masked modelling as a task of a project: which clips and tubelets, and what they must become."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.uniform import uniform
from cinelex.data.batch import Batch
from cinelex.models.latent_teacher import LATENT_TEACHER, LatentTeacher
from cinelex.models.masking import tube_mask
from cinelex.models.packing import rows_of
from cinelex.models.tubelets import cut_tubelets, take_positions
from cinelex.models.video_text import VideoText

CHOICE, POSITIONS = 3, 4
"""Streams of the keyed draws."""


@dataclass(frozen=True)
class Masking:
    """The clips that are encoded a second time, and what is hidden of them."""

    clips: Int[Tensor, " masked"]
    """Indices among the clips of the batch."""
    keep: Int[Tensor, "masked visible"]
    """Tokens that the encoder sees, as positions in t·y·x."""
    hide: Int[Tensor, "masked hidden"]
    """Tokens to predict."""


@dataclass(frozen=True, kw_only=True)
class MaskedTask:
    """Draws masks by the clips' keys, so that a sample is masked alike wherever it is trained."""

    grid: tuple[int, int, int]
    """Tokens of a clip along frames, rows and columns."""
    tubelet: tuple[int, int, int]
    """Frames, rows and columns of pixels in a token."""
    ratio: float
    """Share of the positions that is hidden."""
    clips_per_study: int
    """At most so many clips of each study are masked."""

    def draw(self, batch: Batch) -> Masking:
        """Choose the clips and hide the same positions in all frames of each."""
        clips = choose_clips(batch, max_clips=self.clips_per_study)
        _, rows, columns = self.grid
        noise = uniform(batch.keys[clips], count=rows * columns, stream=POSITIONS)
        keep, hide = tube_mask(noise, grid=self.grid, ratio=self.ratio)
        return Masking(clips, keep, hide)

    def masked_tubelets(
        self, pixels: Float[Tensor, "clip channel frame row column"], masking: Masking
    ) -> Float[Tensor, "masked hidden pixel"]:
        """Return the pixels that the encoder did not see."""
        tubelets = cut_tubelets(pixels[masking.clips], tubelet=self.tubelet)
        return take_positions(tubelets, masking.hide)


def choose_clips(batch: Batch, *, max_clips: int) -> Int[Tensor, " chosen"]:
    """Return up to ``max_clips`` clips of each study, by index: those of the lowest draws."""
    draw = uniform(batch.keys, count=1, stream=CHOICE).squeeze(1).double()
    # sorted by study, and within a study by draw: the first few of each are the chosen ones
    order = (batch.owner + draw).argsort()
    counts = rows_of(batch.owner, studies=batch.studies)
    chosen = counts.clamp(max=max_clips)
    # how many there are is known without asking the device
    total = sum(min(clips, max_clips) for clips in batch.clip_counts)
    study = torch.repeat_interleave(chosen, output_size=total)
    within = torch.arange(total, device=order.device) - (chosen.cumsum(0) - chosen)[study]
    return order[(counts.cumsum(0) - counts)[study] + within].sort().values


def masked_task_of(config: RunConfig, model: VideoText) -> MaskedTask | None:
    """Return the task that masks what the model's encoder reads; None where nothing is masked."""
    if model.masked_decoder is None:
        return None
    return MaskedTask(
        grid=model.video_encoder.grid,
        tubelet=model.video_encoder.tubelet,
        ratio=config.model.mask_ratio,
        clips_per_study=config.model.masked_clips,
    )


def add_teacher(config: RunConfig, model: VideoText) -> LatentTeacher | None:
    """Return the teacher that latents are predicted of, now one of the model's companions.

    It begins at the encoder's weights, so that they must have arrived. None where pixels are
    predicted, or nothing.
    """
    if model.masked_decoder is None or config.masked_modeling.target == "pixels":
        return None
    teacher = LatentTeacher(model.video_encoder)
    model.companions[LATENT_TEACHER] = teacher
    return teacher
