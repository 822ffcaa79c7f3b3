"""Karpathy's splits of Flickr8k, Flickr30k and COCO, and COCO's own annotation files."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from cinelex.core.errors import UserError
from cinelex.data.images.captioned import (
    CaptionedImage,
    ImageSet,
    first_present,
    gather_captions,
    image_folder,
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
    raw: str


class _Image(BaseModel):
    filename: str
    filepath: str = ""
    split: str
    sentences: list[_Sentence]


class _Karpathy(BaseModel):
    images: list[_Image]


class _CocoImage(BaseModel):
    id: int
    file_name: str


class _CocoCaption(BaseModel):
    image_id: int
    caption: str


class _Coco(BaseModel):
    images: list[_CocoImage]
    annotations: list[_CocoCaption]


def read_karpathy(root: Path, dataset: str) -> ImageSet:
    """Read ``dataset_<name>.json`` of Karpathy and Fei-Fei; "restval" counts as training.

    Raises:
        UserError: The file is missing, is no such JSON, or names a file outside ``root``.
    """
    name, folders = KARPATHY[dataset]
    path, folder = first_present(root, (name,)), image_folder(root, folders)
    images = []
    for image in _parse(path, _Karpathy).images:
        _refuse_folders(path, image.filename)
        if image.filepath:
            _refuse_folders(path, image.filepath)
        captions = gather_captions((image.filename, said.raw) for said in image.sentences)
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
            _refuse_folders(path, image.file_name)
            images.append(
                CaptionedImage(
                    id=image.file_name,
                    path=root / folder / image.file_name,
                    captions=tuple(captions.get(str(image.id), ())),
                    split="test" if split == "val" else split,
                )
            )
    return ImageSet(tuple(images))


def _refuse_folders(path: Path, name: str) -> None:
    if not name or Path(name).name != name:
        raise UserError(f"{path}: the name of an image or folder must be a plain name")


def _parse(path: Path, schema: type[Any]) -> Any:
    try:
        return schema.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "the file"
        raise UserError(f"{path}: {where}: {first['msg']}; download the file again") from None
    except OSError as problem:
        raise UserError(f"{path}: cannot be read ({problem.strerror})") from None
