"""The data sets of captioned images by their name in a config, and what a whole one holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cinelex.data.images.captioned import ImageSet
from cinelex.data.images.flickr import read_flickr8k, read_flickr30k
from cinelex.data.images.karpathy import read_coco, read_karpathy


@dataclass(frozen=True)
class Format:
    """A data set as distributed."""

    read: Callable[[Path], ImageSet]
    """From the folder of the download to the set; no image is opened."""
    sizes: Mapping[str, int]
    """Images of each split in the public release."""


FORMATS: dict[str, Format] = {
    "flickr8k": Format(read_flickr8k, {"train": 6000, "val": 1000, "test": 1000}),
    "flickr30k": Format(read_flickr30k, {"train": 29783, "val": 1000, "test": 1000}),
    "flickr8k_karpathy": Format(
        partial(read_karpathy, dataset="flickr8k"), {"train": 6000, "val": 1000, "test": 1000}
    ),
    "flickr30k_karpathy": Format(
        partial(read_karpathy, dataset="flickr30k"), {"train": 29000, "val": 1014, "test": 1000}
    ),
    "coco_karpathy": Format(
        partial(read_karpathy, dataset="coco"), {"train": 113287, "val": 5000, "test": 5000}
    ),
    "coco": Format(read_coco, {"train": 118287, "test": 5000}),
}
