"""Summarise what a folder or a manifest contains; nothing is written."""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.scripts.setup.advice import notes_of
from cinelex.scripts.setup.folder import Inside, look_inside
from cinelex.scripts.setup.look import Look, look_at


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("cinelex scan"), description=__doc__)
    made.add_argument("where", type=Path, metavar="FOLDER|MANIFEST", help="what to scan; only read")
    made.add_argument("--video_root", type=Path, help="folder that paths are relative to")
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_args(arguments)
    where = options.where
    if where.is_dir():
        inside = look_inside(where)
        say("\n".join(inside_lines(inside)))
        table = inside.table()
        if table is None:
            return 0
        where = table
    if not where.is_file():
        raise UserError(f"{where}: no such file or folder")
    say("\n".join(look_lines(look_at(where, video_root=options.video_root))))
    say(f"next: cinelex init {options.where}")
    return 0


def inside_lines(inside: Inside) -> Iterator[str]:
    """Yield what a folder holds, and what to do with it where it has no table."""
    kinds = {
        "tables": len(inside.tables),
        "videos and images": len(inside.media),
        "texts": len(inside.texts),
        "DICOM files": inside.dicom,
        "others": sum(inside.others.values()),
    }
    found = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
    yield f"{inside.root}: {found or 'empty'}"
    if inside.table() is not None:
        return
    if inside.dicom:
        yield f"next: cinelex prepare --dicom {inside.root} --reports FILE --out DATASET"
    elif inside.media and inside.texts:
        yield f"next: cinelex init {inside.root}"
    elif inside.tables:
        yield "several tables: name the one with a row a video"


def look_lines(look: Look) -> Iterator[str]:
    """Yield what a manifest holds, a line each; no text of any cell."""
    studies, watched = look.manifest.studies, look.watched
    what = "images" if look.images else "videos"
    yield f"{look.manifest.path}: {look.manifest.how}"
    yield "columns: " + ", ".join(f"{role} = {name.name}" for role, name in look.columns.items())
    splits = ", ".join(f"{name} {count:,}" for name, count in look.manifest.splits().items())
    yield f"studies: {len(studies):,} ({splits}); {look.files:,} {what}, {look.missing:,} missing"
    dropped = {why: count for why, count in look.manifest.dropped.items() if count}
    if dropped:
        yield "left out: " + ", ".join(f"{count} {why}" for why, count in dropped.items())
    patients = len(set(studies.patient_groups().tolist()))
    texts = len(set(studies.report_groups().tolist()))
    yield f"patients: {patients:,}; different reports: {texts:,}"
    if watched.looked_at:
        rows, columns = watched.size
        kind = "colour" if watched.color else "gray"
        line = f"{watched.looked_at} files looked at: {columns} x {rows} pixels, {kind}"
        if not look.images:
            line += f", {statistics.median(watched.frames):.0f} frames"
        if watched.seconds:
            line += f", {statistics.median(watched.seconds):.1f} s"
        yield f"{line} (medians)"
    if not look.images:
        yield f"reports with coronary facts: {look.coronary:.0%}"
    for note in notes_of(look, gpu=False)[:-1]:
        yield f"note: {note}"


if __name__ == "__main__":
    sys.exit(guarded(main))
