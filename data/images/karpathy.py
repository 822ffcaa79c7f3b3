"""Karpathy's splits of Flickr8k, Flickr30k and COCO, and COCO's own annotation files."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from cinelex.core.errors import UserError
from cinelex.data.images.captioned import (
    CaptionedImage,
    ImageSet,
    first_present,
    gather_captions,
)

KARPATHY = {
    "flickr8k": ("dataset_flickr8k.json", ("Flicker8k_Dataset", "Images")),
    "flickr30k": ("dataset_flickr30k.json", ("flickr30k-images", "flickr30k_images", "Images")),
    "coco": ("dataset_coco.json", (".",)),
}
"""The file of each data set and the folder of its images; COCO's file names folders itself."""
COCO_SPLITS = {"train": "train2017", "val": "val2017"}
RESTVAL = "restval"
"""Validation images that COCO's Karpathy split trains on."""


class _Sentence(BaseModel):
    model_config = ConfigDict(extra="ignore")
    raw: str


class _Image(BaseModel):
    model_config = ConfigDict(extra="ignore")
    filename: str
    filepath: str = ""
    split: str
    sentences: list[_Sentence]


class _Karpathy(BaseModel):
    model_config = ConfigDict(extra="ignore")
    images: list[_Image]


class _CocoImage(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int
    file_name: str


class _CocoCaption(BaseModel):
    model_config = ConfigDict(extra="ignore")
    image_id: int
    caption: str


class _Coco(BaseModel):
    model_config = ConfigDict(extra="ignore")
    images: list[_CocoImage]
    annotations: list[_CocoCaption]


def read_karpathy(root: Path, dataset: str) -> ImageSet:
    """Read ``dataset_<name>.json`` of Karpathy and Fei-Fei; "restval" counts as training.

    Raises:
        UserError: The file is missing, is no such JSON, or names a file outside ``root``.
    """
    name, folders = KARPATHY[dataset]
    found = _parse(first_present(root, (name,)), _Karpathy)
    folder = root / next((f for f in folders if (root / f).is_dir()), folders[0])
    images = []
    for image in found.images:
        captions = gather_captions((image.filename, s.raw) for s in image.sentences)
        _plain(root / name, image.filename)
        if image.filepath:
            _plain(root / name, image.filepath)
        images.append(
            CaptionedImage(
                id=image.filename,
                path=folder / image.filepath / image.filename,
                captions=tuple(captions.get(image.filename, ())),
                split="train" if image.split == RESTVAL else image.split,
            )
        )
    return ImageSet(tuple(images))


def read_coco(root: Path) -> ImageSet:
    """Read COCO 2017: annotations/captions_{train,val}2017.json; ``val2017`` is the test split.

    COCO's own test captions are not public; Karpathy's split is the one that papers compare on.

    Raises:
        UserError: A file is missing, is no such JSON, or names a file outside ``root``.
    """
    images = []
    for split, folder in COCO_SPLITS.items():
        path = first_present(root, (f"annotations/captions_{folder}.json",))
        found = _parse(path, _Coco)
        captions = gather_captions((str(c.image_id), c.caption) for c in found.annotations)
        for image in found.images:
            _plain(path, image.file_name)
            images.append(
                CaptionedImage(
                    id=image.file_name,
                    path=root / folder / image.file_name,
                    captions=tuple(captions.get(str(image.id), ())),
                    split="test" if split == "val" else split,
                )
            )
    return ImageSet(tuple(images))


def _plain(path: Path, name: str) -> None:
    if not name or Path(name).name != name:
        raise UserError(f"{path}: the name of an image or folder must be a plain name")


def _parse(path: Path, schema: type[Any]) -> Any:
    try:
        return schema.model_validate_json(path.read_bytes())
    except (ValidationError, json.JSONDecodeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": ""}
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise UserError(f"{path}: {where}: {first['msg']}; download the file again") from None
    except OSError as problem:
        raise UserError(f"{path}: cannot be read ({problem.strerror})") from None
