"""How well a teacher's tokens of held-out clips are predicted, beside what their mean costs."""

import math

import torch
from torch import Tensor

from cinelex.core.distributed import sum_over_ranks
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.models.latent_teacher import taught
from cinelex.models.tubelets import take_positions
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.results import Group, headline
from cinelex.projects.multitask.masked_task import MaskedTask
from cinelex.projects.studies.encoding import device_of


@torch.no_grad()
def latent_results(
    model: VideoText, dataset: StudyDataset, task: MaskedTask, *, batch: int
) -> Group:
    """Return the squared error of the hidden tokens, whose numbers have variance 1.

    ``predict_the_mean`` is the error of the mean of the other held-out clips at the same place:
    what knowing the place costs, and nothing of the clip. A perfect guess has 0.
    """
    device, sizes = device_of(model), (math.prod(task.grid), model.video_encoder.width)
    error, squares, total = (torch.zeros(size, dtype=torch.float64) for size in ((), (), sizes))
    predicted, clips = 0, 0
    for studies in evaluation_batches(dataset, batch=batch):
        studies = studies.to(device)
        pixels, masking = to_float(studies.clips), task.draw(studies)
        guess = model.reconstruct(
            pixels, keep=masking.keep, hide=masking.hide, masked=masking.clips
        )
        tokens = taught(model.companions, pixels, masking.clips)
        assert guess is not None
        assert tokens is not None
        tokens = tokens.double()
        hidden = guess[:, -masking.hide.shape[1] :].double()  # behind visible ones, if any
        wrong = (hidden - take_positions(tokens, masking.hide)).square()
        error, predicted = error + wrong.sum().cpu(), predicted + wrong.numel()
        total, squares = total + tokens.sum(0).cpu(), squares + tokens.square().sum().cpu()
        clips += len(tokens)
    counts = torch.tensor([predicted, clips], dtype=torch.float64)
    error, total, squares, counts = (
        sum_over_ranks(part) for part in (error, total, squares, counts)
    )
    mse, mean = float(error / counts[0]), _cost_of_the_mean(total, squares, float(counts[1]))
    scores = [
        headline(
            "masked_modeling.latent_mse",
            "Squared error of hidden tokens",
            mse,
            {"predict_the_mean": mean},
            better="lower",
        ),
        headline(
            "masked_modeling.ratio_to_the_mean",
            "Ratio to predicting the mean",
            mse / mean if mean else None,
            {"predict_the_mean": 1.0},
            better="lower",
        ),
    ]
    note = "Tokens of the teacher, each with variance 1. The mean is that of other clips there."
    return Group(title="Masked modelling", note=note, scores=scores)


def _cost_of_the_mean(total: Tensor, squares: Tensor, clips: float) -> float | None:
    """Return the squared error of the mean of the others; None where there are no others.

    x less the mean of the others is clips / (clips - 1) times x less the mean of all.
    """
    if clips < 2:
        return None
    about_the_mean = squares - total.square().sum() / clips
    return float(about_the_mean / (clips * total.numel()) * (clips / (clips - 1)) ** 2)
