"""A made-up set of captioned images, written as files in the format of Flickr8k."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cinelex.core.csv_text import csv_text
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.core.randomness import numpy_generator
from cinelex.data.images.captioned import CAPTIONS
from cinelex.data.images.flickr import FLICKR8K_SPLITS
from cinelex.data.synthetic.scenes.scene import Scene, captions_of, draw_scene, render
from cinelex.data.synthetic.sets import make_set

FORMAT = 1
"""Goes up whenever the same settings give other files."""


@dataclass(frozen=True, kw_only=True)
class MadeUpSettings:
    """Every number that changes a file."""

    train: int = 1500
    """Training images."""
    val: int = 100
    """Images for validation during the run; each scene is new."""
    test: int = 300
    """Held-out images; each scene is new."""
    size: int = 32
    """Rows and columns of an image, in pixels."""
    duplicate_rate: float = 0.0
    """Share of the training images that show one of a few stock scenes, in other pixels and
    captions: in a batch they are false negatives of one another."""
    stock_scenes: int = 20
    """Scenes that duplicates are drawn from."""
    seed: int = 0
    """Decides every image."""


def make_image_set(settings: MadeUpSettings, folder: Path) -> Path:
    """Make the set below ``folder`` unless it is there; return its root for Flickr8k's reader.

    ``labels.csv`` in it has the scene of every image, the ground truth of false negatives.

    Raises:
        UserError: There are more duplicates than the stock scenes allow for.
    """
    return make_set(
        "scenes", settings, folder, version=FORMAT, make=lambda partial: _write(settings, partial)
    )


def plan_scenes(settings: MadeUpSettings) -> dict[str, list[Scene]]:
    """Return the scenes of each split, in the images' order.

    Scenes of different splits differ, and in a split only duplicates repeat one.

    Raises:
        UserError: There is no stock scene to duplicate, or no room for the stock.
    """
    duplicates = round(settings.duplicate_rate * settings.train)
    if not 0 <= settings.duplicate_rate <= 1 or (duplicates and settings.stock_scenes < 1):
        raise UserError("duplicate_rate must lie in [0, 1], and stock_scenes be 1 or more")
    random = numpy_generator(settings.seed, "scenes")
    seen: set[Scene] = set()

    def new(count: int) -> list[Scene]:
        scenes: list[Scene] = []
        while len(scenes) < count:
            scene = draw_scene(random)
            if scene not in seen:
                seen.add(scene)
                scenes.append(scene)
        return scenes

    held_out = {"val": new(settings.val), "test": new(settings.test)}
    stock = new(min(settings.stock_scenes, max(1, duplicates)))
    own = new(settings.train - duplicates)
    train = own + [stock[place] for place in random.integers(0, len(stock), size=duplicates)]
    order = random.permutation(len(train))
    return {"train": [train[place] for place in order], **held_out}


def _write(settings: MadeUpSettings, root: Path) -> None:
    (root / "Images").mkdir()
    tokens, labels = [], [("image", "scene")]
    for split, scenes in plan_scenes(settings).items():
        names = [f"{split}_{place:06d}.jpg" for place in range(len(scenes))]
        for name, scene in zip(names, scenes, strict=True):
            random = numpy_generator(settings.seed, "image", name)
            pixels: np.ndarray = render(scene, size=settings.size, random=random)
            Image.fromarray(pixels).save(root / "Images" / name, quality=95, subsampling=0)
            captions = captions_of(scene, count=CAPTIONS, random=random)
            tokens += [f"{name}#{place}\t{text}" for place, text in enumerate(captions)]
            labels.append((name, scene.label))
        write_whole(root / FLICKR8K_SPLITS[split][0], "\n".join(names) + "\n")
    write_whole(root / "Flickr8k.token.txt", "\n".join(tokens) + "\n")
    write_whole(root / "labels.csv", csv_text(labels))
