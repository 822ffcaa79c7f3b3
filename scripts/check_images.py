"""Check captioned images, a download or those of a manifest, and say what is missing.

    python -m cinelex.scripts.check_images --format flickr8k --root /data/flickr8k [--quick]
    python -m cinelex.scripts.check_images --manifest pictures.csv --columns study=id video=image

Ends with 0 where all is there, 1 where something is missing, 2 for bad input.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.entry import command, guarded
from cinelex.core.errors import UserError
from cinelex.data.images.captioned import CAPTIONS, CaptionedImage, ImageSet
from cinelex.data.images.check import check_images
from cinelex.data.images.formats import FORMATS
from cinelex.data.studies.manifest import DROPPED, load_manifest
from cinelex.data.studies.study import Columns

INCOMPLETE = 1


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Check one set."""
    parser = argparse.ArgumentParser(prog="check_images", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--format", choices=sorted(FORMATS), help="kind of download, with --root")
    source.add_argument("--manifest", type=Path, help="table with one row per image")
    parser.add_argument("--root", type=Path, help="folder of the download")
    parser.add_argument(
        "--columns", nargs="+", default=[], metavar="KEY=NAME", help="like data.columns in a config"
    )
    parser.add_argument("--quick", action="store_true", help="check that files exist, decode none")
    options = parser.parse_args(arguments)
    images, sizes, captions = _images(options)
    checked = check_images(images, sizes=sizes, decode=not options.quick, captions=captions)
    said = "there" if options.quick else "readable"
    for split, count in checked.counts.items():
        released = f"; the release has {sizes.get(split, 0)}" if options.format else ""
        say(f"{split}: {count} images {said}{released}")
    for line in checked.problems:
        sys.stderr.write(f"missing: {line}\n")
    return INCOMPLETE if checked.problems else 0


def _images(options: argparse.Namespace) -> tuple[ImageSet, Mapping[str, int], int]:
    """Return the images, how many a release has of each split, and captions an image at least.

    Raises:
        UserError: A download without its folder, or columns that a manifest cannot have.
    """
    if options.manifest is None:
        if options.root is None:
            raise UserError("--root: name the folder of the download")
        chosen = FORMATS[options.format]
        return chosen.read(options.root), chosen.sizes, CAPTIONS
    named = dict(item.partition("=")[::2] for item in options.columns)
    keys = ("study", "video", "report", "split")
    if not set(named) <= set(keys):
        raise UserError(f"--columns: {', '.join(sorted(named))}; there are {', '.join(keys)}")
    manifest = load_manifest(options.manifest, columns=Columns(**named))
    for why, number in manifest.dropped.items():
        if number:
            say(f"left out: {number} {DROPPED[why]}")
    found = (CaptionedImage(s.id, s.videos[0], (s.report,), s.split) for s in manifest.studies)
    return ImageSet(tuple(found)), {}, 1


if __name__ == "__main__":
    sys.exit(guarded(main))
