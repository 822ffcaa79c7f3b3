"""What is missing from a download of captioned images."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cinelex.data.images.captioned import CAPTIONS, ImageSet
from cinelex.data.video.decode import VideoError
from cinelex.data.video.decode_pyav import PyAVDecoder

NAMED = 3
"""Missing or damaged files that are named; the rest is counted."""


@dataclass(frozen=True)
class Checked:
    """What a check found."""

    counts: Mapping[str, int]
    """Images of each split that can be read."""
    problems: tuple[str, ...]
    """One line each; empty where the download is whole."""


def check_images(
    images: ImageSet, *, sizes: Mapping[str, int], decode: bool = True, captions: int = CAPTIONS
) -> Checked:
    """Compare a set with the sizes of the public release's splits, and with what is on disk.

    ``decode`` also decodes every image; otherwise it only has to be there. ``captions`` are the
    fewest that an image may have.
    """
    states = {image.path: _state(image.path, decode) for image in images.images}
    counts = Counter(image.split for image in images.images if not states[image.path])
    described = Counter(image.split for image in images.images)
    problems = [
        f"split {split}: {described[split]} images are described, the release has {size}"
        for split, size in sizes.items()
        if described[split] != size
    ]
    if images.unknown:
        problems.append(
            f"{len(images.unknown)} captioned images are in no split and left out: "
            + _some(list(images.unknown))
        )
    few = [image.id for image in images.images if len(image.captions) < captions]
    if few:
        problems.append(f"{len(few)} images have fewer than {captions} captions: {_some(few)}")
    kinds = defaultdict(list)
    for image in images.images:
        kinds[states[image.path]].append(image.id)
    folder = images.images[0].path.parent if images.images else None
    problems += [
        f"{len(ids)} images: {kind}; bring them to {folder}: {_some(ids)}"
        for kind, ids in sorted(kinds.items())
        if kind
    ]
    return Checked(dict(counts), tuple(problems))


def _state(file: Path, decode: bool) -> str:
    """Return what is wrong with an image file, or nothing."""
    if not file.is_file():
        return "the file is not there"
    try:
        if decode:
            PyAVDecoder().probe(file)
    except VideoError as problem:
        return str(problem)
    return ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
