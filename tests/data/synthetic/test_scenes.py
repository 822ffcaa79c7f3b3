"""The made-up set: what is said of a scene is true of it, and duplicates are known."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.data.images.formats import FORMATS
from cinelex.data.synthetic.scenes.scene import (
    AFTER,
    BEFORE,
    COLOURS,
    GROUNDS,
    SHAPES,
    Item,
    Scene,
    captions_of,
    draw_scene,
    render,
)
from cinelex.data.synthetic.scenes.scene_set import (
    MadeUpSettings,
    make_image_set,
    plan_scenes,
)

SMALL = MadeUpSettings(train=40, val=4, test=6, size=32, duplicate_rate=0.5, stock_scenes=3)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = make_image_set(SMALL, tmp_path_factory.mktemp("sets"))
    return folder


def test_it_is_read_as_flickr8k_with_five_different_captions(root: Path) -> None:
    found = FORMATS["flickr8k"].read(root)
    assert Counter(image.split for image in found.images) == {"train": 40, "val": 4, "test": 6}
    assert all(len(set(image.captions)) == 5 for image in found.images)


def test_the_duplicates_are_as_many_as_asked_for_and_no_scene_crosses_a_split(root: Path) -> None:
    images = FORMATS["flickr8k"].read(root).images
    train = Counter(image.label for image in images if image.split == "train")
    repeated = [count for count in train.values() if count > 1]
    assert len(repeated) <= 3
    assert sum(repeated) == 20
    held_out = Counter(image.label for image in images if image.split != "train")
    assert set(held_out.values()) == {1}
    assert not held_out.keys() & train.keys()


def test_duplicates_differ_in_pixels_and_mostly_in_words(root: Path) -> None:
    images = FORMATS["flickr8k"].read(root).split("train")
    commonest = Counter(image.label for image in images).most_common(1)[0][0]
    twins = [image for image in images if image.label == commonest]
    assert len({image.path.read_bytes() for image in twins}) == len(twins)
    assert len({image.captions for image in twins}) > 1


def test_equal_settings_give_equal_files_and_are_made_once(root: Path, tmp_path: Path) -> None:
    again = make_image_set(SMALL, tmp_path)
    assert again.name == root.name
    for file in sorted(root.rglob("*.*")):
        assert (again / file.relative_to(root)).read_bytes() == file.read_bytes()
    stamp = (again / "settings.json").stat().st_mtime_ns
    assert make_image_set(SMALL, tmp_path) == again
    assert (again / "settings.json").stat().st_mtime_ns == stamp


def test_no_duplicates_means_that_every_scene_is_new() -> None:
    scenes = plan_scenes(MadeUpSettings(train=200, val=10, test=30))
    whole = [scene for split in scenes.values() for scene in split]
    assert len(set(whole)) == len(whole) == 240


def test_a_rate_beyond_one_is_refused() -> None:
    with pytest.raises(UserError, match="duplicate_rate"):
        plan_scenes(MadeUpSettings(duplicate_rate=1.5))


def mentions(caption: str) -> list[tuple[str, str]]:
    """Read colours and shapes back from a caption, in its order."""
    names = {name: shape for shape, words in SHAPES.items() for name in words}
    words = caption.replace(",", "").replace(":", "").split()
    found = []
    for place, word in enumerate(words):
        if word in COLOURS:
            pair = " ".join(words[place + 1 : place + 3])
            found.append((word, names.get(pair) or names[words[place + 1]]))
    return found


def test_every_caption_can_be_read_back_to_its_shapes_in_order() -> None:
    random = np.random.default_rng(0)
    for _ in range(60):
        scene = draw_scene(random)
        truth = [(item.colour, item.shape) for item in scene.items]
        for caption in captions_of(scene, count=5, random=random):
            found = mentions(caption)
            if AFTER[scene.layout] in caption:
                found = found[::-1]
            if len(scene.items) == 3 and (
                BEFORE[scene.layout] in caption or AFTER[scene.layout] in caption
            ):
                assert found[1] == found[2]  # a chain names its middle twice
                found = [found[0], found[1], found[3]]
            assert found == truth, caption


def test_pixels_have_the_colours_of_their_scene_in_their_order() -> None:
    items = (Item("large", "red", "square"), Item("large", "blue", "square"))
    for layout, axis in (("row", 1), ("column", 0)):
        scene = Scene(items, layout, "black")  # type: ignore[arg-type]
        pixels = render(scene, size=32, random=np.random.default_rng(1)).astype(float)
        red = (pixels[..., 0] > 120) & (pixels[..., 2] < 120)
        blue = (pixels[..., 2] > 120) & (pixels[..., 0] < 120)
        assert red.sum() > 30
        assert blue.sum() > 30
        assert np.nonzero(red)[axis].mean() + 8 < np.nonzero(blue)[axis].mean()
    background = np.median(pixels.reshape(-1, 3), axis=0)
    np.testing.assert_allclose(background, GROUNDS["black"], atol=8)
