"""How well masked tubelets of held-out clips are rebuilt, in pixels, beside what a mean costs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import is_main, sum_over_ranks
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.losses.masked import MaskedModeling
from cinelex.models.tubelets import cut_tubelets, join_tubelets
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Group, headline
from cinelex.projects.multitask.masked_task import MaskedTask, Masking
from cinelex.projects.studies.encoding import device_of

PICTURES = 4
"""Clips that are drawn: as they are, as the encoder sees them, and rebuilt."""
REBUILT = Picture(
    title="Masked clips",
    note="From the top: original, what the encoder sees, rebuilt.",
    path=Path("predictions") / "masked.png",
)


@dataclass
class _Sums:
    """Sums over the hidden pixels of this rank, in squared units of white = 1."""

    values: Float[Tensor, " five"]
    """Number, sum, sum of squares, squared error of the model, of each tubelet's own mean."""

    def add(self, guess: Tensor, target: Tensor) -> None:
        """Count the hidden tubelets of one batch."""
        target, guess = target.double() * PIXEL_STD + PIXEL_MEAN, guess.double() * PIXEL_STD
        guess = guess + PIXEL_MEAN
        flat = (target - target.mean(-1, keepdim=True)).square().sum()
        parts = [
            torch.tensor(float(target.numel())).to(target),
            target.sum(),
            target.square().sum(),
            (guess.clamp(0, 1) - target).square().sum(),
            flat,
        ]
        self.values = self.values + torch.stack(parts).cpu()


@torch.no_grad()
def masked_results(
    model: VideoText,
    dataset: StudyDataset,
    task: MaskedTask,
    loss: MaskedModeling,
    *,
    batch: int,
    picture: Path,
) -> Group:
    """Return the error of the hidden pixels with white = 1, and draw a few clips.

    They are rebuilt without knowing anything of them. ``predict_the_mean`` is the variance of those
    pixels: the error of one constant, the best there is. ``predict_each_tubelets_mean`` is a null
    that knows more than the model: the mean of each hidden tubelet. ``noise_floor`` is the noise
    that was put into the videos, where the manifest knows it: no model can be below.
    """
    device, sums, drawn = device_of(model), _Sums(torch.zeros(5, dtype=torch.float64)), False
    for studies in evaluation_batches(dataset, batch=batch):
        studies = studies.to(device)
        pixels, masking = to_float(studies.clips), task.draw(studies)
        rebuilt = model.reconstruct(
            pixels, keep=masking.keep, hide=masking.hide, masked=masking.clips
        )
        assert rebuilt is not None
        guess = loss.to_pixels(rebuilt)
        sums.add(guess, task.masked_tubelets(pixels, masking))
        if not drawn and is_main():
            draw_rebuilt(picture, pixels[masking.clips], guess, masking, task)
            drawn = True
    number, total, squares, error, flat = sum_over_ranks(sums.values).tolist()
    variance = squares / number - (total / number) ** 2
    nulls = {
        "predict_the_mean": variance,
        "predict_each_tubelets_mean": flat / number,
        "noise_floor": noise_floor(dataset),
    }
    scores = [
        headline(
            "masked_modeling.pixel_mse",
            "Squared error of hidden pixels",
            error / number,
            nulls,
            better="lower",
            bounds=("predict_each_tubelets_mean", "noise_floor"),
        ),
        headline(
            "masked_modeling.ratio_to_the_mean",
            "Ratio to predicting the mean",
            error / number / variance if variance > 0 else None,
            {"predict_the_mean": 1.0},
            better="lower",
        ),
    ]
    note = "Pixels from 0 to 1. A tubelet's own mean knows more than the model does."
    return Group(title="Masked modelling", note=note, scores=scores)


def noise_floor(dataset: StudyDataset) -> float | None:
    """Return the mean noise of the studies, in squared units of white = 1; None where unknown."""
    noise = dataset.studies.table["noise_mse"]
    return None if noise.null_count else float(np.mean(noise.to_numpy()))


def draw_rebuilt(
    path: Path,
    pixels: Float[Tensor, "clip channel frame row column"],
    guess: Float[Tensor, "clip hidden pixel"],
    masking: Masking,
    task: MaskedTask,
) -> None:
    """Draw the middle frame of a few clips: original, visible part, visible part and guess."""
    from matplotlib.image import imsave  # here, because it takes a second

    clips = pixels[:PICTURES]
    tubelets = cut_tubelets(clips, tubelet=task.tubelet)
    seen, filled = torch.full_like(tubelets, -PIXEL_MEAN / PIXEL_STD), tubelets.clone()
    for clip in range(len(clips)):
        keep, hide = masking.keep[clip], masking.hide[clip]
        seen[clip, keep] = tubelets[clip, keep]
        filled[clip, hide] = guess[clip]
    like = clips.shape
    strips = [
        torch.cat(list(_middle_frames(part, task, like)), dim=1)
        for part in (tubelets, seen, filled)
    ]
    image = (torch.cat(strips) * PIXEL_STD + PIXEL_MEAN).clamp(0, 1).float().cpu().numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, np.kron(image, np.ones((2, 2))), cmap="gray", vmin=0, vmax=1)


def _middle_frames(
    tubelets: Float[Tensor, "clip tubelet pixel"], task: MaskedTask, shape: torch.Size
) -> Float[Tensor, "clip row column"]:
    clips = join_tubelets(tubelets, tubelet=task.tubelet, grid=task.grid, channels=shape[1])
    return clips[:, :, shape[2] // 2].mean(dim=1)
