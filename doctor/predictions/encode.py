"""A few rows encoded anew, by a run or from a table of somebody's own encoder."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.data.video.transforms import to_float
from cinelex.doctor.predictions.table import Again, Predictions
from cinelex.models.contracts import VideoEncoder
from cinelex.models.normalize import Pixels
from cinelex.trained.loading import load
from cinelex.trained.reading import StudyReader
from cinelex.trained.run import TrainedRun

PLAIN = Pixels(mean=(PIXEL_MEAN,), std=(PIXEL_STD,))
"""What a tower without statistics of its own takes."""


def by_run(
    table: Predictions,
    run_folder: Path,
    *,
    videos: Mapping[str, list[str]],
    root: Path,
    rows: int,
    what: str | None,
) -> Again:
    """Encode a few ids anew with a trained run, as it wants pixels and as faults treat them.

    Args:
        table: Whose rows are compared.
        run_folder: The run that is said to have made them.
        videos: Paths of each id.
        root: The folder that they start from.
        rows: How many are drawn.
        what: Which matrix; None takes the first of the run's dimension.

    Raises:
        UserError: The run is missing or damaged, no matrix has its dimension, or a video cannot be
            decoded.
    """
    run = load(run_folder)
    found = [one for one in table.vectors if one.sketch.dim == run.model.dim]
    found = [one for one in found if what in (None, one.name)]
    if not found:
        raise UserError(f"{run_folder}: no matrix of the table has its {run.model.dim} dimensions")
    chosen = _drawn(table, found[0].sketch.sound, rows)
    say(f"encoding {len(chosen)} of {len(table.ids)} rows anew")
    towers = (part for part in run.model.modules() if isinstance(part, VideoEncoder))
    pixels = next((tower.pixels for tower in towers), None)
    treatments = {"": lambda levels: levels, **_treatments(pixels or PLAIN)}
    encoded: dict[str, list[np.ndarray]] = {how: [] for how in treatments}
    with StudyReader(run.config.data) as reader:
        for number, row in enumerate(chosen, 1):
            study = [root / name for name in videos[table.ids[row]]]
            clips = to_float(reader.clips(study, number=number))
            for how, treat in treatments.items():
                encoded[how].append(_encoded(run, clips, treat))
    return Again(found[0].name, chosen, {how: np.stack(some) for how, some in encoded.items()})


def _drawn(table: Predictions, sound: np.ndarray, rows: int) -> Int[np.ndarray, " chosen"]:
    there = np.flatnonzero(sound & table.known)
    return np.sort(np.random.default_rng(0).permutation(there)[:rows])


@torch.no_grad()
def _encoded(run: TrainedRun, clips: Tensor, treat: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Return the row of a study whose levels, channel by channel, were treated first."""
    levels = treat(clips * PIXEL_STD + PIXEL_MEAN)
    owner = torch.zeros(len(clips), dtype=torch.int64)
    standard = (levels - PIXEL_MEAN) / PIXEL_STD
    row: np.ndarray = run.model.encode_study(standard, owner, studies=1).study[0].numpy()
    return row


def _treatments(pixels: Pixels) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return what faults do to levels in [0, 1] before an encoder that normalises them itself."""
    mean = torch.tensor(pixels.mean)[:, None, None, None]
    std = torch.tensor(pixels.std)[:, None, None, None]
    return {
        "normalised twice": lambda levels: (levels - mean) / std,
        "not normalised": lambda levels: levels * std + mean,
        "from 0 to 255": lambda levels: levels * 255,
        "with light and dark exchanged": lambda levels: 1 - levels,
        "with their frames in reverse": lambda levels: levels.flip(2),
        "with rows and columns exchanged": lambda levels: levels.transpose(3, 4),
        **(
            {"with red and blue exchanged": lambda levels: levels.flip(1)}
            if len(pixels.mean) > 1
            else {}
        ),
    }


def by_table(table: Predictions, other: Predictions) -> Again:
    """Compare with rows that somebody encoded anew, each under its id.

    Raises:
        UserError: The other table has no matrix of a dimension of this one, or no common id.
    """
    for vectors in table.vectors:
        same = [one for one in other.vectors if one.sketch.dim == vectors.sketch.dim]
        named = [one for one in same if one.name == vectors.name] or same
        place = {name: row for row, name in enumerate(other.ids)}
        rows = np.array([row for row, name in enumerate(table.ids) if name in place], np.int64)
        if named and len(rows):
            theirs = np.array([place[table.ids[row]] for row in rows])
            return Again(vectors.name, rows, {"": named[0].some(theirs)})
    raise UserError(f"{other.path}: shares no id and no matrix of one dimension with {table.path}")
