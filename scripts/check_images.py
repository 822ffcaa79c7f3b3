"""Check a download of captioned images and say what is missing.

    python -m cinelex.scripts.check_images --format flickr8k --root /data/flickr8k [--quick]

Ends with 0 where the download is whole, 1 where something is missing, 2 for bad input.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.entry import command, guarded
from cinelex.data.images.check import check_images
from cinelex.data.images.formats import FORMATS

INCOMPLETE = 1


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Check one download."""
    parser = argparse.ArgumentParser(prog="check_images", description=__doc__)
    parser.add_argument("--format", choices=sorted(FORMATS), required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder of the download")
    parser.add_argument("--quick", action="store_true", help="only look for files, decode none")
    options = parser.parse_args(arguments)
    chosen = FORMATS[options.format]
    images = chosen.read(options.root)
    checked = check_images(images, sizes=chosen.sizes, decode=not options.quick)
    for split, count in checked.counts.items():
        said = "there" if options.quick else "readable"
        say(f"{split}: {count} images {said}; the release has {chosen.sizes.get(split, 0)}")
    for line in checked.problems:
        sys.stderr.write(f"missing: {line}\n")
    return INCOMPLETE if checked.problems else 0


if __name__ == "__main__":
    sys.exit(guarded(main))
