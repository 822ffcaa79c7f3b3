"""Fixed features of captioned images, so that a study of losses trains small heads alone.

Images: mean and spread of each colour and a histogram of gradient directions in every cell of a
grid. Captions: TF-IDF of words and pairs of words. Nothing is trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from cinelex.data.images.captioned import CaptionedImage
from cinelex.data.images.formats import FORMATS
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.studies import numbered
from cinelex.data.studies.study import Columns
from cinelex.data.synthetic.scenes.scene_set import MadeUpSettings, make_image_set
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.resize import Shape, reshape_frame

CELLS = 8
"""Rows and columns of cells."""
DIRECTIONS = 6
MAX_WORDS = 1500
LABEL = "primary_muscle"
"""Column of a manifest of stills that says what images have in common."""


@dataclass(frozen=True)
class Split:
    """One split, as two heads and a teacher of words see it."""

    image: Float[Tensor, "image feature"]
    caption: Float[Tensor, "caption feature"]
    words: Float[Tensor, "caption word"]
    """Unit TF-IDF rows of single words: the teacher."""
    owner: Int[Tensor, " caption"]
    """The image of each caption; captions of an image stand together."""
    label: Int[Tensor, " image"]
    """What is the same thing seen twice has the same number."""


def made_up_set(folder: Path, *, duplicate_rate: float) -> tuple[Split, Split]:
    """Return the training and the test split of the made-up set."""
    made = MadeUpSettings(duplicate_rate=duplicate_rate)
    images = FORMATS["flickr8k"].read(make_image_set(made, folder)).images
    return features_of(images, size=made.size)


def stills_set(manifest: Path) -> tuple[Split, Split]:
    """Return the splits of a manifest of videos: the middle frame of each, and its report."""
    studies = load_manifest(manifest, columns=Columns(extra=(LABEL,))).studies
    images = [
        CaptionedImage(s.id, s.videos[0], (s.report,), s.split, s.extra[LABEL]) for s in studies
    ]
    return features_of(images, size=64)


def features_of(images: Sequence[CaptionedImage], *, size: int) -> tuple[Split, Split]:
    """Return the features of train and test; scales and words are those of the training split."""
    splits = [[image for image in images if image.split == name] for name in ("train", "test")]
    raw = [describe(np.stack([_pixels(i.path, size) for i in split])) for split in splits]
    mean, std = raw[0].mean(0), raw[0].std(0) + 1e-3
    texts = [[caption for image in split for caption in image.captions] for split in splits]
    pairs = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=MAX_WORDS)
    single = TfidfVectorizer(sublinear_tf=True)
    for table in (pairs, single):
        table.fit(texts[0])
    made = [
        Split(
            image=_tensor((rows - mean) / std),
            caption=_tensor(pairs.transform(said).toarray()),
            words=_tensor(single.transform(said).toarray()),
            owner=torch.from_numpy(
                np.repeat(np.arange(len(split)), [len(image.captions) for image in split])
            ),
            label=torch.from_numpy(numbered(image.label or f"\0{image.id}" for image in split)),
        )
        for split, rows, said in zip(splits, raw, texts, strict=True)
    ]
    return made[0], made[1]


def describe(
    pixels: UInt8[np.ndarray, "image row column 3"],
) -> Float[np.ndarray, "image feature"]:
    """Return colour and gradient statistics of every cell."""
    images = pixels.astype(np.float32) / 255
    down, right = np.gradient(images.mean(3), axis=(1, 2))
    strength = np.hypot(down, right)
    direction = np.floor((np.arctan2(down, right) % np.pi) / np.pi * DIRECTIONS).astype(int)
    maps = [(strength * (direction % DIRECTIONS == way))[..., None] for way in range(DIRECTIONS)]
    stacked = np.concatenate([images, *maps], axis=3)
    count, rows, columns, channels = stacked.shape
    cells = stacked.reshape(count, CELLS, rows // CELLS, CELLS, columns // CELLS, channels)
    mean, spread = cells.mean((2, 4)), cells[..., :3].std((2, 4))
    return np.concatenate([mean, spread], axis=3).reshape(count, -1)


def _pixels(path: Path, size: int) -> UInt8[np.ndarray, "row column 3"]:
    shape = Shape(size=size)
    _, frames = PyAVDecoder().read_chosen(
        path, lambda count: [count // 2], lambda frame: reshape_frame(frame, shape=shape)
    )
    return np.asarray(frames[0])


def _tensor(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows.astype(np.float32))
