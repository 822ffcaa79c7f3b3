"""The road, stage by stage: from a hospital's folder to a data set."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.core.console import say
from cinelex.core.entry import NO_ROOM
from cinelex.core.errors import UserError
from cinelex.data.dicom.pseudonyms import open_pseudonyms
from cinelex.data.prepare.assemble import Further, assemble
from cinelex.data.prepare.decide import KEPT, PENDING
from cinelex.data.prepare.decoding import decode_new, decoded, withdraw
from cinelex.data.prepare.inventory import FAILURES, GONE, take_inventory
from cinelex.data.prepare.known_files import Sources, root_number
from cinelex.data.prepare.mask_decisions import read_decisions
from cinelex.data.prepare.places import Places, check_folders, held, open_places
from cinelex.data.prepare.reports import ReadFacts, check_reports
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.data.prepare.walk import Share
from cinelex.data.prepare.worker_pool import WorkerPool, no_room

NO_DICOM = (GONE, "not_dicom", "empty", "link", "special_file", "unreadable", *FAILURES)
"""Reasons of files of which nobody knows that they are DICOM."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for."""

    dicom: Path
    out: Path
    reports: Path | None = None
    share: Share = Share()
    settings: PrepareSettings
    options: Mapping[str, Any]
    """The settings as they were given, for the card."""
    read_facts: ReadFacts | None = None
    stays: bool = True
    """Whether the data set is kept; what to do in its folder is not said otherwise."""


def prepare(request: Request) -> int:
    """Go the road, or on with it, and return how many studies have cines and a report.

    Raises:
        UserError: A folder, the key, the reports or the decisions are wrong; another process has
            the data set; the disk takes no more; or no cine is left.
    """
    check_folders(request.dicom, request.out)
    if request.reports is not None:
        check_reports(request.reports, request.settings.reports)
    try:
        places = open_places(request.out)
        with held(places, request.share):
            return _prepare(places, request)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room(error.errno) from None
        raise


def _prepare(places: Places, request: Request) -> int:
    keys = open_pseudonyms(request.out)
    settings, share = request.settings, request.share
    decisions = read_decisions(places.out / "decisions.csv")
    number, roots = root_number(places, request.dicom)
    sources = Sources(roots, keys.secret("contents"))
    with WorkerPool(settings.workers) as pool:
        looked = take_inventory(places, request.dicom, number, share, settings, pool)
        say(f"inventory: {looked} files are new or changed")
        by_content = _by_content(places, decisions)
        count = decode_new(places, sources, share, settings, pool, decisions=by_content)
    say(f"decoded: {count} cines")
    if share.of > 1:
        say(f"part {share.number} of {share.of} is done; run without --part when all are")
        return 0
    for journal in (places.files, places.contents, places.cines):
        journal.compact()
    _check_any(places)
    by_content = _by_content(places, decisions)
    further = Further(
        request.reports, request.read_facts, decisions, by_content, request.options, request.stays
    )
    contents = assemble(places, sources, keys, settings, further)
    withdrawn = withdraw(places, settings, by_content)  # after the manifest has let go of them
    if withdrawn:
        say(f"removed from the store: {withdrawn} cines that may not be kept, or no longer")
    if not contents.files["decision"].isin([KEPT, PENDING]).any():
        whys = contents.files["why"].value_counts().items()
        raise UserError(
            f"no cine is left of {len(contents.files)} files "
            f"({', '.join(f'{why}: {count}' for why, count in whys)}); see {places.out / 'card.md'}"
        )
    return contents.with_report


def _check_any(places: Places) -> None:
    """Refuse an export without a DICOM file.

    Raises:
        UserError: Says how many files there are.
    """
    files = places.files.read()
    if not len(files):
        raise UserError("--dicom: holds no file; give the folder of the export")
    if files["reason"].isin(NO_DICOM).all():
        shutil.rmtree(places.files.folder)
        late = int(files["reason"].isin(FAILURES).sum())
        raise UserError(
            f"--dicom: {late} of its {len(files)} files were not read in time, and none of the "
            "others is DICOM; start again when the machine has room, or raise inspect_s"
            if late
            else f"--dicom: none of its {len(files)} files is DICOM; give the folder of the export"
        )


def _by_content(places: Places, decisions: Mapping[str, str]) -> dict[str, str]:
    """Return the decisions by the content of the file; one about an older mask is none."""
    cines = decoded(places)
    pairs = zip(cines["content"], cines["key"], strict=True)
    return {content: decisions[key] for content, key in pairs if key in decisions}
