"""What one captioned image is, and a whole set of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.core.files import hash_json

CAPTIONS = 5
"""Captions an image has in Flickr8k and Flickr30k, and at least in COCO."""


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    """One image and what people wrote under it; captions are left out of ``repr``."""

    id: str
    """The file's name, without folders."""
    path: Path
    """Where the file is, or should be."""
    captions: tuple[str, ...] = field(repr=False)
    """At least one, in the order of the distribution."""
    split: str
    """"train", "val" or "test"; "" where the distribution leaves the image out of all splits."""
    label: str = ""
    """What images may share: a scene, a class; "" where nobody knows, and then it is unique."""
    patient: str = field(default="", repr=False)
    """Whose it is; "" where nobody says, and then it counts as a patient of its own."""


@dataclass(frozen=True)
class ImageSet:
    """The images of a data set, checked against one another, in the distribution's order."""

    images: tuple[CaptionedImage, ...]
    unknown: tuple[str, ...] = ()
    """Captions' images, by id, that no split names; they are left out of ``images``."""
    held_out: bool = False
    """Whether what validates was taken from the training split."""

    def split(self, name: str) -> list[CaptionedImage]:
        """Return the images of a split."""
        return [image for image in self.images if image.split == name]

    @property
    def hash(self) -> str:
        """Return the hash of ids, captions, splits and labels; of no pixel or patient."""
        rows = [[i.id, list(i.captions), i.split, i.label] for i in self.images]
        return hash_json({"images": rows})


def gather_captions(rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the captions of each image from rows of id and caption; blank ones are left out."""
    captions: dict[str, list[str]] = {}
    for image, caption in rows:
        text = " ".join(caption.split())
        if text:
            captions.setdefault(image, []).append(text)
    return captions


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file of a distribution, without line ends and blank ones.

    Raises:
        UserError: The file is not there, cannot be read, or is no UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: not there; see the download of the data set") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; download it again") from None
    except OSError as problem:
        raise UserError(f"{path}: cannot be read ({problem.strerror})") from None
    return [line for line in text.splitlines() if line.strip()]


def first_present(root: Path, names: Sequence[str]) -> Path:
    """Return the first of several names that a distribution uses for the same thing.

    Raises:
        UserError: None is there; the first is the one to place.
    """
    for name in names:
        if (root / name).exists():
            return root / name
    raise UserError(f"{root / names[0]}: not there (nor {', '.join(names[1:]) or 'another name'})")


def image_folder(root: Path, names: Sequence[str]) -> Path:
    """Return the folder of the images, by the usual name where none is there, for the check."""
    return root / next((name for name in names if (root / name).is_dir()), names[0])
