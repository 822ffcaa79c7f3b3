"""The data sets of captioned images by their name in a config, and what a whole one holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cinelex.data.images.captioned import ImageSet
from cinelex.data.images.flickr import read_flickr
from cinelex.data.images.karpathy import read_coco, read_karpathy


@dataclass(frozen=True)
class Format:
    """A data set as distributed."""

    read: Callable[[Path], ImageSet]
    """From the folder of the download to the set; no image is opened."""
    sizes: Mapping[str, int]
    """Images of each split in the public release."""


FLICKR8K = {"train": 6000, "val": 1000, "test": 1000}
FLICKR30K = {"train": 29783, "val": 1000, "test": 1000}
FLICKR30K_KARPATHY = {"train": 29000, "val": 1014, "test": 1000}
COCO_KARPATHY = {"train": 113287, "val": 5000, "test": 5000}
FORMATS: dict[str, Format] = {
    "flickr8k": Format(partial(read_flickr, dataset="flickr8k"), FLICKR8K),
    "flickr30k": Format(partial(read_flickr, dataset="flickr30k"), FLICKR30K),
    "flickr8k_karpathy": Format(partial(read_karpathy, dataset="flickr8k"), FLICKR8K),
    "flickr30k_karpathy": Format(partial(read_karpathy, dataset="flickr30k"), FLICKR30K_KARPATHY),
    "coco_karpathy": Format(partial(read_karpathy, dataset="coco"), COCO_KARPATHY),
    "coco": Format(read_coco, {"train": 118287, "test": 5000}),
}
