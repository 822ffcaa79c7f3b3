"""What a closed form finds: ridge regression from pixels, and from the model's own features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cinelex.core.distributed import gather_rows
from cinelex.data.batch import Batch
from cinelex.data.loader import Chosen, Samples, evaluation_batches
from cinelex.data.video.transforms import to_float
from cinelex.metrics.ridge import ridge_predictions
from cinelex.models.closed_form import mean_tokens, pixel_rows
from cinelex.models.study_model import StudyModel
from cinelex.models.tfidf import TfidfRows
from cinelex.projects.studies.blind import METADATA
from cinelex.projects.studies.encoding import device_of, encode_batch
from cinelex.projects.studies.metadata import Metadata, brightness, metadata_rows

MAX_ROWS = 2000
"""Training rows that the closed form is solved on, evenly spaced; its cost grows as their cube."""
MAX_CLIPS = 4
"""Clips of a study that are laid side by side, the first ones."""
TEXTS_AT_ONCE = 256

Texts = Sequence[Int[np.ndarray, " _"]]
Inputs = Callable[[Batch], Float[Tensor, "study number"]]


@dataclass(frozen=True, kw_only=True)
class FloorRows:
    """What stands in for the rows of a model: to be searched by cosine, as those are."""

    study: Float[Tensor, "study token"]
    text: Float[Tensor, "text token"]
    nearest: Sequence[int]
    """For each study, the training sample whose texts are nearest to what is predicted."""


@torch.no_grad()
def floor_rows(
    model: StudyModel,
    train: Samples,
    texts: Sequence[Texts],
    test: Samples,
    gallery: Texts,
    *,
    metadata: tuple[Metadata, Metadata] | None = None,
    batch: int,
    seed: int,
) -> dict[str, FloorRows]:
    """Return what each floor predicts for the samples of ``test``, and the texts it searches.

    A floor regresses TF-IDF over the run's own tokens, minus its mean over the training samples; a
    sample with several texts counts with their mean. Nothing of the test split is looked at before
    it is searched: the penalty is chosen within the training split.

    Args:
        model: The trained module, in evaluation mode.
        train: What the closed form is solved on.
        texts: Tokens of the texts of each of these.
        test: The samples that are searched with, and for.
        gallery: Tokens of the texts that are searched.
        metadata: What is known of both splits without looking; None leaves that floor out.
        batch: Samples at once.
        seed: Decides which parts of the training split are left out in turn.
    """
    indices = rows_solved_on(train)
    own = [text for index in indices for text in texts[index]]
    counts = np.array([len(texts[index]) for index in indices])
    tfidf = TfidfRows((text.tolist() for text in own), vocab=train.tokenizer.vocab_size)
    known = np.unique(np.concatenate(own))
    starts = np.cumsum(counts) - counts
    targets = np.add.reduceat(_text_rows(tfidf, own, known), starts, axis=0) / counts[:, None]
    _, groups = np.unique(targets.round(4), axis=0, return_inverse=True)
    mean = targets.mean(axis=0)
    searched = _directions(_text_rows(tfidf, gallery, known) - mean)
    floors: dict[str, tuple[Inputs, Samples, Samples]] = {
        "ridge_pixels": (study_pixels, train.of_pixels(), test.of_pixels()),
        "ridge_features": (partial(study_features, model), train, test),
    }
    of = partial(rows_of, batch=batch, device=device_of(model))
    rows = {
        name: (of(inputs, Chosen(known_samples, indices)), of(inputs, searched_samples))
        for name, (inputs, known_samples, searched_samples) in floors.items()
    }
    if metadata is not None:
        rows[METADATA] = numbers_of_metadata(train, indices, test, metadata, batch=batch)
    found = {}
    library = F.normalize(_directions(targets - mean), dim=1)
    for name, (solved_on, queries) in rows.items():
        predicted = ridge_predictions(solved_on, targets, queries, groups=groups, seed=seed)
        study = _directions(predicted)
        nearest = [indices[place] for place in (study @ library.T).argmax(dim=1).tolist()]
        found[name] = FloorRows(study=study, text=searched, nearest=nearest)
    return found


def numbers_of_metadata(
    train: Samples,
    indices: Sequence[int],
    test: Samples,
    metadata: tuple[Metadata, Metadata],
    *,
    batch: int,
) -> tuple[Float[np.ndarray, "row number"], Float[np.ndarray, "study number"]]:
    """Return what is known of training and test samples without looking, in numbers."""
    names = ("mean_brightness", "spread_of_brightness")
    pixels = (Chosen(train.of_pixels(), indices), test.of_pixels())
    cpu = torch.device("cpu")
    bright = [
        dict(zip(names, rows_of(brightness, some, batch=batch, device=cpu).T, strict=True))
        for some in pixels
    ]
    own, searched = metadata[0].take(indices).beside(bright[0]), metadata[1].beside(bright[1])
    rows = metadata_rows(own)
    return rows(own), rows(searched)


def rows_solved_on(train: Samples) -> list[int]:
    """Return the indices of the training samples that a closed form is solved on."""
    return np.unique(np.linspace(0, len(train) - 1, MAX_ROWS).round().astype(int)).tolist()


def study_pixels(batch: Batch) -> Float[Tensor, "study number"]:
    """Return the first clips of each study side by side, averaged down, in [0, 1]."""
    return pixel_rows(
        to_float(batch.clips),
        batch.owner,
        studies=batch.studies,
        count=MAX_CLIPS,
        max_clips=max(batch.clip_counts),
    )


def study_features(model: StudyModel, batch: Batch) -> Float[Tensor, "study number"]:
    """Return the mean of a study's tokens, as the caption decoder would see them."""
    found = encode_batch(model, batch)
    return mean_tokens(found.tokens, found.token_mask)


def rows_of(
    inputs: Inputs,
    samples: Samples,
    *,
    batch: int,
    device: torch.device,
) -> Float[np.ndarray, "study number"]:
    """Return a row a sample, in order, on every rank."""
    own = [inputs(some.to(device)).cpu() for some in evaluation_batches(samples, batch=batch)]
    width = inputs(next(evaluation_batches(samples, batch=1, rank=0, world_size=1)).to(device))
    return gather_rows(torch.cat([width[:0].cpu(), *own])).numpy()


def _text_rows(
    tfidf: TfidfRows, texts: Texts, known: Int[np.ndarray, " token"]
) -> Float[np.ndarray, "text token"]:
    """Return the TF-IDF row of each text, over the tokens that training texts have."""
    rows = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = [torch.from_numpy(text) for text in texts[start : start + TEXTS_AT_ONCE]]
        token_ids = nn.utils.rnn.pad_sequence(some, batch_first=True, padding_value=-1)
        rows.append(tfidf(token_ids.clamp(min=0), token_ids >= 0)[:, known])
    return torch.cat(rows).numpy()


def _directions(rows: Float[np.ndarray, "row token"]) -> Float[Tensor, "row token"]:
    """Return the rows; one that is 0, because nothing is known of it, is as near to all others."""
    return torch.from_numpy(np.where(rows.any(axis=1, keepdims=True), rows, 1.0)).float()
