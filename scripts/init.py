"""Write a config for a manifest or a folder, with a comment that explains each key."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.core.folders import check_writable
from cinelex.scripts.setup.advice import choices_of, name_of, notes_of
from cinelex.scripts.setup.folder import look_inside, manifest_of
from cinelex.scripts.setup.look import look_at
from cinelex.scripts.setup.write import config_text

GPU = Path("/proc/driver/nvidia/gpus")
"""Has a folder for each GPU."""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("cinelex init"), description=__doc__)
    add = made.add_argument
    add("where", type=Path, metavar="MANIFEST|FOLDER", help="what to train on")
    add("--out", type=Path, default=Path("config.yaml"), help="config file to write")
    add("--video_root", type=Path, help="folder that paths are relative to")
    add("--force", action="store_true", help="overwrite an existing file")
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_args(arguments)
    out = options.out
    if out.exists() and not options.force:
        raise UserError(f"{out} already exists; name another --out, or add --force")
    check_writable(out.absolute().parent, "--out")
    manifest = _manifest(options.where, out)
    beside = options.where if manifest != options.where and options.where.is_dir() else None
    look = look_at(manifest, video_root=options.video_root or beside)
    choices = choices_of(look, str(manifest.absolute()), name_of(manifest))
    title = f"Written by cinelex init for {len(look.manifest.studies):,} studies."
    notes = notes_of(look, gpu=GPU.is_dir() and bool(os.listdir(GPU)))
    write_whole(out, config_text(choices, title, notes))
    load_config(out)  # what was written is one that can be read
    for choice in choices:
        say(f"  {choice.key} = {choice.value}: {choice.why}")
    for note in notes:
        say(f"note: {note}")
    say(f"written: {out}\nnext: cinelex train --base_config {out}")
    return 0


def _manifest(where: Path, out: Path) -> Path:
    """Return the manifest that is meant; one is written where a folder has only files and texts.

    Raises:
        UserError: There is nothing to train on; the message says what to do.
    """
    if where.is_file():
        return where
    if not where.is_dir():
        raise UserError(f"{where}: no such file or folder")
    inside = look_inside(where)
    table = inside.table()
    if table is not None:
        return table
    if inside.dicom:
        raise UserError(
            f"{where}: {inside.dicom} DICOM files and no table; first cinelex prepare --dicom "
            f"{where} --reports FILE --out DATASET, then cinelex init DATASET"
        )
    if not inside.media:
        raise UserError(f"{where}: neither a table nor a video, an image or a DICOM file in it")
    if inside.tables:
        raise UserError(f"{where}: {len(inside.tables)} tables; name the one with a row a video")
    made = out.with_suffix(".manifest.csv")
    write_whole(made, manifest_of(inside))
    say(f"written: {made}, {len(inside.media)} files and the texts beside them")
    return made


if __name__ == "__main__":
    sys.exit(guarded(main))
