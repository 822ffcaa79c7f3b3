"""The data sets as they are distributed, in miniature."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinelex.core.errors import UserError
from cinelex.data.images.captioned import ImageSet
from cinelex.data.images.check import check_images
from cinelex.data.images.formats import FORMATS

NAMES = ("a.jpg", "b.jpg", "c.jpg")
CAPTIONS = {name: [f"caption {n} of {name[0]}, with a comma" for n in range(5)] for name in NAMES}


def write_images(folder: Path, names: tuple[str, ...] = NAMES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(names):
        pixels = np.full((10, 12, 3), 40 * shade, np.uint8)
        Image.fromarray(pixels).save(folder / name)


def flickr8k(root: Path) -> None:
    lines = [f"{name}#{n}\t{text}" for name in NAMES for n, text in enumerate(CAPTIONS[name])]
    (root / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
    for split, name in zip(("train", "dev", "test"), NAMES, strict=True):
        (root / f"Flickr_8k.{split}Images.txt").write_text(f"{name}\n")
    write_images(root / "Flicker8k_Dataset")


def flickr30k(root: Path) -> None:
    rows = [f"{name}| {n}| {text}" for name in NAMES for n, text in enumerate(CAPTIONS[name])]
    # one line of the public file lacks the bar behind the number
    rows[4] = rows[4].replace("| 4| ", "| 4   ")
    (root / "results.csv").write_text("image_name| comment_number| comment\n" + "\n".join(rows))
    for split, name in zip(("train", "val", "test"), NAMES, strict=True):
        (root / f"{split}.txt").write_text(f"{name.removesuffix('.jpg')}\n")
    write_images(root / "flickr30k-images")


def karpathy(root: Path, dataset: str, folder: str, splits: tuple[str, ...]) -> None:
    images = [
        {
            "filename": name,
            "imgid": place,
            "split": split,
            "sentences": [{"raw": text, "tokens": text.split()} for text in CAPTIONS[name]],
            **({"filepath": folder} if dataset == "coco" else {}),
        }
        for place, (name, split) in enumerate(zip(NAMES, splits, strict=True))
    ]
    content = {"dataset": dataset, "images": images}
    (root / f"dataset_{dataset}.json").write_text(json.dumps(content))
    write_images(root / folder)


def coco(root: Path) -> None:
    (root / "annotations").mkdir()
    for folder, names in (("train2017", NAMES[:2]), ("val2017", NAMES[2:])):
        content = {
            "images": [{"id": ord(name[0]), "file_name": name} for name in names],
            "annotations": [
                {"image_id": ord(name[0]), "id": n, "caption": text}
                for n in range(5)
                for name in names
                for text in [CAPTIONS[name][n]]
            ],
        }
        path = root / "annotations" / f"captions_{folder}.json"
        path.write_text(json.dumps(content))
        write_images(root / folder, names)


def written(root: Path, name: str) -> ImageSet:
    splits = ("train", "val", "test")
    {
        "flickr8k": lambda: flickr8k(root),
        "flickr30k": lambda: flickr30k(root),
        "flickr8k_karpathy": lambda: karpathy(root, "flickr8k", "Flicker8k_Dataset", splits),
        "flickr30k_karpathy": lambda: karpathy(root, "flickr30k", "flickr30k-images", splits),
        "coco_karpathy": lambda: karpathy(root, "coco", "val2014", ("restval", "val", "test")),
        "coco": lambda: coco(root),
    }[name]()
    return FORMATS[name].read(root)


@pytest.mark.parametrize("name", FORMATS)
def test_five_captions_an_image_and_its_split_are_read(name: str, tmp_path: Path) -> None:
    found = written(tmp_path, name)
    assert {image.id: list(image.captions) for image in found.images} == CAPTIONS
    splits = {image.id: image.split for image in found.images}
    middle = "train" if name == "coco" else "val"
    assert splits == {"a.jpg": "train", "b.jpg": middle, "c.jpg": "test"}
    assert all(image.path.is_file() for image in found.images)


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_download_has_no_problem(name: str, tmp_path: Path) -> None:
    found = written(tmp_path, name)
    described = {split: len(found.split(split)) for split in ("train", "val", "test")}
    sizes = {split: count for split, count in described.items() if count}
    checked = check_images(found, sizes=sizes)
    assert checked.problems == ()
    assert checked.counts == sizes


def test_what_is_missing_from_a_download_is_named(tmp_path: Path) -> None:
    flickr8k(tmp_path)
    lines = (tmp_path / "Flickr8k.token.txt").read_text().splitlines()
    ghost = "ghost.jpg.1#0\tin the token file, and nowhere else"
    (tmp_path / "Flickr8k.token.txt").write_text("\n".join([*lines[:-1], ghost]))
    (tmp_path / "Flicker8k_Dataset" / "a.jpg").unlink()
    (tmp_path / "Flicker8k_Dataset" / "b.jpg").write_bytes(b"not an image")
    checked = check_images(FORMATS["flickr8k"].read(tmp_path), sizes=FORMATS["flickr8k"].sizes)
    said = "\n".join(checked.problems)
    assert checked.counts == {"test": 1}
    for part in ("train: 1 images are described, the release has 6000", "ghost.jpg.1"):
        assert part in said
    assert "not there" in said
    assert "a.jpg" in said
    assert "b.jpg" in said
    assert "1 images have fewer than 5 captions: c.jpg" in said


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("Flickr8k.token.txt", "a.jpg without a tab\n", r"line 1: expected image\.jpg#number"),
        ("Flickr8k.token.txt", "../../a.jpg#0\tx\n", "line 1: the name of an image"),
        ("Flickr_8k.trainImages.txt", "zebra.jpg\n", "without a caption"),
        ("Flickr_8k.testImages.txt", "a.jpg\n", "also in the split train"),
    ],
)
def test_a_file_of_another_format_is_refused(
    file: str, content: str, expected: str, tmp_path: Path
) -> None:
    flickr8k(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(UserError, match=expected):
        FORMATS["flickr8k"].read(tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_folder_says_which_file_to_place(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not there"):
        FORMATS[name].read(tmp_path)


@pytest.mark.parametrize(
    "content", ["{", '{"images": [{"filename": "a.jpg"}]}', '{"images": "none"}']
)
def test_broken_json_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "dataset_coco.json").write_text(content)
    with pytest.raises(UserError, match="download the file again") as refusal:
        FORMATS["coco_karpathy"].read(tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    image = {"filename": "../a.jpg", "split": "train", "sentences": [{"raw": "x"}]}
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": [image]}))
    with pytest.raises(UserError, match="plain name"):
        FORMATS["coco_karpathy"].read(tmp_path)


def test_own_pictures_may_have_other_endings(tmp_path: Path) -> None:
    names = ("a.png", "b.JPEG", "c.jpg")
    text = "\n".join(f"{name}#0\ta picture of {name[0]}" for name in names)
    (tmp_path / "Flickr8k.token.txt").write_text(text)
    for split, name in zip(("train", "dev", "test"), names, strict=True):
        (tmp_path / f"Flickr_8k.{split}Images.txt").write_text(f"{name}\n")
    found = FORMATS["flickr8k"].read(tmp_path)
    assert {image.id: image.split for image in found.images} == {
        "a.png": "train",
        "b.JPEG": "val",
        "c.jpg": "test",
    }
