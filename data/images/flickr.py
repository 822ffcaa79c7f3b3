"""Flickr8k and Flickr30k as they are distributed: a token file, and lists of images by split."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.data.images.captioned import (
    CaptionedImage,
    ImageSet,
    first_present,
    gather_captions,
    image_folder,
    read_lines,
)

FLICKR8K_TOKENS = ("Flickr8k.token.txt", "Flickr8k_text/Flickr8k.token.txt", "captions.txt")
FLICKR8K_IMAGES = ("Flicker8k_Dataset", "Flickr8k_Dataset/Flicker8k_Dataset", "Images")
FLICKR8K_SPLITS = {
    "train": ("Flickr_8k.trainImages.txt", "Flickr8k_text/Flickr_8k.trainImages.txt"),
    "val": ("Flickr_8k.devImages.txt", "Flickr8k_text/Flickr_8k.devImages.txt"),
    "test": ("Flickr_8k.testImages.txt", "Flickr8k_text/Flickr_8k.testImages.txt"),
}
FLICKR30K_TOKENS = ("results_20130124.token", "results.csv", "captions.txt")
FLICKR30K_IMAGES = ("flickr30k-images", "flickr30k_images", "Images")
FLICKR30K_SPLITS = {split: (f"{split}.txt",) for split in ("train", "val", "test")}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Endings of pictures; to a name without one the releases' ``.jpg`` is added."""
Names = tuple[str, ...]
FLICKR: dict[str, tuple[Names, Names, Mapping[str, Names]]] = {
    "flickr8k": (FLICKR8K_TOKENS, FLICKR8K_IMAGES, FLICKR8K_SPLITS),
    "flickr30k": (FLICKR30K_TOKENS, FLICKR30K_IMAGES, FLICKR30K_SPLITS),
}
"""Names that a distribution uses for the captions, the folder of the images, and each split."""


def read_flickr(root: Path, dataset: str) -> ImageSet:
    """Read the captions (a token file, or a table), and the lists of the splits.

    Raises:
        UserError: A file is missing or has another format; the message has the line.
    """
    tokens, folders, splits = FLICKR[dataset]
    captions = gather_captions(_rows(first_present(root, tokens)))
    folder = image_folder(root, folders)
    split_of: dict[str, str] = {}
    for split, names in splits.items():
        path = first_present(root, names)
        for line in read_lines(path):
            name = line.strip()
            image = name if Path(name).suffix.lower() in SUFFIXES else f"{name}.jpg"
            if split_of.setdefault(image, split) != split:
                raise UserError(f"{path}: an image is also in the split {split_of[image]}")
            if image not in captions:
                raise UserError(
                    f"{path}: an image without a caption in the token file; names there and here "
                    "must be equal, with their endings (own pictures: clipse.format=manifest)"
                )
    labels = _labels(root)
    images = [
        CaptionedImage(image, folder / image, tuple(texts), split_of[image], labels.get(image, ""))
        for image, texts in captions.items()
        if image in split_of
    ]
    return ImageSet(tuple(images), tuple(image for image in captions if image not in split_of))


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield image and caption of ``a.jpg#0<tab>caption``, ``a.jpg,caption`` or ``a.jpg| 0| …``."""
    lines = read_lines(path)
    header = lines[0].replace(" ", "").lower() if lines else ""
    if header.startswith("image_name|"):
        return _bar_rows(path, lines)
    return _comma_rows(path, lines) if header == "image,caption" else _token_rows(path, lines)


def _bar_rows(path: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines[1:], 2):
        image, _, rest = line.partition("|")
        # the public file has one line in which the bar behind the caption's number is missing
        number_cell, bar, caption = rest.partition("|")
        yield _image(image, path, number), caption if bar else number_cell.lstrip(" 0123456789")


def _comma_rows(path: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(csv.reader(lines[1:]), 2):
        if len(row) < 2:
            raise UserError(f"{path}, line {number}: expected image,caption")
        yield _image(row[0], path, number), ",".join(row[1:])


def _token_rows(path: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, 1):
        name, tab, caption = line.partition("\t")
        if not tab or "#" not in name:
            raise UserError(f"{path}, line {number}: expected image.jpg#number, tab, caption")
        yield _image(name.rpartition("#")[0], path, number), caption


def _image(name: str, path: Path, number: int) -> str:
    """Return an image's name.

    Raises:
        UserError: It is empty, or would lead out of the images' folder.
    """
    clean = name.strip()
    if not clean or Path(clean).name != clean:
        raise UserError(f"{path}, line {number}: the name of an image must be a plain file name")
    return clean


def _labels(root: Path) -> dict[str, str]:
    """Return what a made-up set knows of its images: ``labels.csv``, image and scene."""
    path = root / "labels.csv"
    if not path.exists():
        return {}
    return dict(row[:2] for row in csv.reader(read_lines(path)[1:]) if len(row) >= 2)
