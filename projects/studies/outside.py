"""Whether a model reads what lies outside the ultrasound beam: letters, borders, traces."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from scipy import ndimage
from torch import Tensor

from cinelex.data.dicom.beam import fit_beam
from cinelex.data.dicom.motion import change, moving, pairs
from cinelex.data.loader import Samples, evaluation_batches
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.encoding import device_of, encode_batch

STUDIES = 8
"""That are looked at."""
MIN_FIT = 0.9
"""Overlap of a beam's shape with what moves, from which on it is taken for one."""
MIN_OUTSIDE = 0.1
"""Share of a picture that lies outside; a cine that fills it has no outside."""


@torch.no_grad()
def outside_beam(model: StudyModel, dataset: Samples) -> dict[str, float]:
    """Return how far embeddings move when the outsides of two studies' beams are swapped.

    ``check/outside_beam``: the median over studies of that distance, over their distance to the
    other study. Nothing where fewer than two studies show a beam.

    Args:
        model: The module, in evaluation mode.
        dataset: Where the studies come from.
    """
    pixels = dataset.of_pixels()
    batch = next(evaluation_batches(pixels, batch=STUDIES, rank=0, world_size=1))
    owner = batch.owner.tolist()
    masks: dict[int, Bool[np.ndarray, "row column"]] = {}
    for study in range(batch.studies):
        masks |= _beams({n: batch.clips[n] for n, own in enumerate(owner) if own == study})
    seen = [study for study in range(batch.studies) if owner.index(study) in masks]
    if len(seen) < 2:
        return {}
    follows = dict(zip(seen, seen[1:] + seen[:1], strict=True))
    clips = batch.clips.clone()
    for clip, study in enumerate(owner):
        if study in follows:
            other = owner.index(follows[study])
            clips[clip] = _with_outside(clips[clip], batch.clips[other], masks[clip], masks[other])
    own = encode_batch(model, batch.to(device_of(model))).study
    moved = encode_batch(model, replace(batch, clips=clips).to(device_of(model))).study
    apart = [float((own[a] - own[b]).norm()) for a, b in follows.items()]
    changes = [float((moved[a] - own[a]).norm()) for a in follows]
    shares = [change / far for change, far in zip(changes, apart, strict=True) if far > 0]
    return {"check/outside_beam": float(np.median(shares))} if shares else {}


def _beams(clips: Mapping[int, Tensor]) -> dict[int, Bool[np.ndarray, "row column"]]:
    """Return the beam of each clip of a study; none as soon as one clip shows none."""
    found = {}
    for number, clip in clips.items():
        mask = beam_of(clip.numpy())
        if mask is None:
            return {}
        found[number] = mask
    return found


def beam_of(
    clip: UInt8[np.ndarray, "frame row column channel"],
) -> Bool[np.ndarray, "row column"] | None:
    """Return the pixels of a clip in or beside its beam; None where none is seen to move."""
    if len(clip) < 2:
        return None
    moves = moving(change(*pairs(clip)))
    if not moves.any():
        return None
    beam, fit = fit_beam(moves)
    rows, columns = clip.shape[1:3]
    # a shape that is fitted misses an edge by a pixel or two
    margin = max(2, max(rows, columns) // 32)
    mask = ndimage.binary_dilation(beam.mask((rows, columns)), iterations=margin)
    return mask if fit >= MIN_FIT and (~mask).mean() >= MIN_OUTSIDE else None


def _with_outside(
    clip: Tensor,
    other: Tensor,
    own: Bool[np.ndarray, "row column"],
    others: Bool[np.ndarray, "row column"],
) -> Tensor:
    """Return a clip with the pixels of another where both are outside."""
    outside = torch.from_numpy(~own & ~others)[None, :, :, None]
    return torch.where(outside, other, clip)
