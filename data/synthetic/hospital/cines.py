"""The files of the cines of one study, and the truth about each."""

import hashlib
import io
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import Dataset

from cinelex.data.synthetic.cines.views import View
from cinelex.data.synthetic.hospital.angiograms import film
from cinelex.data.synthetic.hospital.coding import (
    CODINGS,
    ULTRASOUND_CODINGS,
    XRAY_CODINGS,
    code,
    with_palette,
)  # fmt: skip
from cinelex.data.synthetic.hospital.echoes import scan
from cinelex.data.synthetic.hospital.headers import (
    add_overlay,
    base_header,
    tell_display,
    tell_pixels,
    tell_view,
    write,
)  # fmt: skip
from cinelex.data.synthetic.hospital.naming import Names
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.shown import Shown, box_of
from cinelex.data.synthetic.hospital.timing import draw_timing, tell_time
from cinelex.data.synthetic.hospital.truth import FileTruth
from cinelex.data.synthetic.hospital.visits import Visit

XRAY_CINE: Final = "1.2.840.10008.5.1.4.1.1.12.1"
ENHANCED_XRAY_CINE: Final = "1.2.840.10008.5.1.4.1.1.12.1.1"
US_CINE: Final = "1.2.840.10008.5.1.4.1.1.3.1"
GRAY_RATE: Final = 0.1
"""Share of the ultrasound cines without colours, even on the screen."""
PALETTE_RATE: Final = 0.3
"""Share of the coloured ultrasound cines without loss that are places in a palette."""
OVERLAY_RATE: Final = 0.2
SPLIT_RATE: Final = 0.15
"""Share of the coded cines with two fragments a frame."""
RAW: Final = ("implicit", "explicit")
ECHO_VIEWS: Final = ("PLAX", "A4C", "A2C", "A3C", "A5C", "SC4C")
LETTER: Final = 128
"""Level of burned-in text in the pictures of masks."""
NAMED_RATE: Final = 0.5
"""Share of the ultrasound cines whose header names the view."""


class CineFiles:
    """Writes the cines of one study."""

    def __init__(
        self, visit: Visit, settings: HospitalSettings, folder: Path, names: Names
    ) -> None:
        self._visit, self._settings, self._names = visit, settings, names
        self._masks = folder / "truth" / "masks"

    def write(self, place: int) -> list[FileTruth]:
        """Write the cine at a place of the plan, and now and then a copy."""
        seed = self._settings.studies.seed
        draw = np.random.default_rng((seed, 12, self._visit.number, place))
        xray = self._visit.machine.modality == "XA"
        syntax = _draw_name(XRAY_CODINGS if xray else ULTRASOUND_CODINGS, draw)
        bare = bool(draw.random() < self._settings.bare_rate)
        if bare:
            syntax = "implicit"
        enhanced = xray and not bare and bool(draw.random() < self._settings.enhanced_rate)
        shown = self._show(place, syntax, draw)
        number = self._names.next_number()
        header = self._header(place, number, shown, enhanced=enhanced)
        timing = draw_timing(len(shown.stored), draw, enhanced=enhanced)
        tell_time(header, timing, self._visit.when)
        if xray:
            tell_view(header, self._visit.plan.cines[place].view, enhanced=enhanced)
        elif draw.random() < NAMED_RATE:
            header.ViewName = ECHO_VIEWS[place % len(ECHO_VIEWS)]
        if draw.random() < OVERLAY_RATE:
            add_overlay(header, self._visit, shown.mask.shape)
        row = replace(
            self._truth(place, header, shown), frame_times_ms=timing.times_ms,
            time_source=timing.source, time_conflict=timing.conflict,
        )  # fmt: skip
        split = bool(draw.random() < SPLIT_RATE)
        first = self._store(header, shown, syntax, number, row, bare=bare, split=split)
        return [first, *self._repeat(header, shown, first, bare, draw)]

    def _show(self, place: int, syntax: str, draw: np.random.Generator) -> Shown:
        """Return the cine as the machine of the study shows it."""
        visit, cine = self._visit, self._visit.plan.cines[place]
        if visit.machine.modality == "XA":
            bits = 8 if syntax == "jpeg" else 12
            return film(visit, cine, self._settings, draw, bits=bits)
        coloured = syntax == "h264" or bool(draw.random() >= GRAY_RATE)
        shown = scan(visit, cine, self._settings, draw, coloured=coloured)
        keeps_places = CODINGS[syntax].lossless and syntax != "jpeg_2000" and coloured
        return with_palette(shown) if keeps_places and draw.random() < PALETTE_RATE else shown

    def _header(self, place: int, number: int, shown: Shown, *, enhanced: bool) -> Dataset:
        """Return all of the header but pixels and time."""
        modality = self._visit.machine.modality
        sop_class = US_CINE if modality == "US" else XRAY_CINE
        header = base_header(
            self._visit, sop_class=ENHANCED_XRAY_CINE if enhanced else sop_class,
            modality=modality, number=number,
        )  # fmt: skip
        if modality == "US":
            header.HeartRate = "72"
        tell_display(header, shown)
        return header

    def _store(
        self, header: Dataset, shown: Shown, syntax: str, number: int, row: FileTruth, *,
        bare: bool, split: bool,
    ) -> FileTruth:  # fmt: skip
        """Code the pixels, write the file, and return the truth with what the coding decides."""
        coded = code(shown, CODINGS[syntax], split=split)
        tell_pixels(header, shown, coded)
        path = self._names.take(header, number)
        write(header, path, syntax=syntax, bare=bare)
        return replace(
            row, path=self._names.below(path), photometric=coded.photometric,
            transfer_syntax=CODINGS[syntax].uid, reader=CODINGS[syntax].reader,
            lossless=CODINGS[syntax].lossless,
            samples_sha256=_hash(shown) if CODINGS[syntax].lossless else None,
        )  # fmt: skip

    def _repeat(
        self, header: Dataset, shown: Shown, first: FileTruth, bare: bool,
        draw: np.random.Generator,
    ) -> list[FileTruth]:  # fmt: skip
        """Put the cine into a second folder, or not: the same bytes, or coded otherwise."""
        copied, recoded = draw.random(2)
        source = self._names.path_of(first.path)
        target = self._names.again(source)
        if copied < self._settings.copy_rate:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            return [replace(first, path=self._names.below(target), duplicate_of=first.path)]
        if recoded >= self._settings.recoded_rate or bare or not first.lossless:
            return []
        syntax = (
            "rle" if first.transfer_syntax in {CODINGS[name].uid for name in RAW} else "explicit"
        )
        coded = code(shown, CODINGS[syntax])
        tell_pixels(header, shown, coded)
        write(header, target, syntax=syntax)
        return [
            replace(
                first, path=self._names.below(target), duplicate_of=first.path,
                photometric=coded.photometric, transfer_syntax=CODINGS[syntax].uid,
                reader=CODINGS[syntax].reader,
            )
        ]  # fmt: skip

    def _truth(self, place: int, header: Dataset, shown: Shown) -> FileTruth:
        """Return what is true of a cine whatever its coding."""
        visit = self._visit
        view = visit.plan.cines[place].view if visit.machine.modality == "XA" else None
        inside = shown.display[:, shown.mask]
        enhanced = header.SOPClassUID == ENHANCED_XRAY_CINE
        return FileTruth(
            path="", kind="cine", also_ok="refused" if enhanced else "",
            study=visit.plan.id, study_uid=visit.study_uid,
            patient=visit.plan.patient_id, patient_id=visit.patient.id,
            instance_uid=header.SOPInstanceUID, modality=visit.machine.modality,
            rows=shown.mask.shape[0], columns=shown.mask.shape[1], frames=len(shown.stored),
            mask=self._save_mask(shown), box=list(box_of(shown.mask)),
            regions=bool(shown.regions), doppler=shown.doppler,
            text_boxes=[list(box) for box in shown.text_boxes], texts=shown.texts,
            view=name_view(view) if view else header.get("ViewName"),
            primary_angle=float(view.oblique) if view else None,
            secondary_angle=float(view.tilt) if view else None,
            cine=place, windowed=shown.window is not None,
            mean_inside=round(float(inside.mean()), 4),
        )  # fmt: skip

    def _save_mask(self, shown: Shown) -> str:
        """Keep a mask and the letters by their content; return where they are below `truth`."""
        from PIL import Image

        picture = np.where(shown.mask, np.uint8(255), np.uint8(0))
        picture[shown.letters] = LETTER
        target = io.BytesIO()
        Image.fromarray(picture).save(target, "PNG")
        name = f"{hashlib.sha256(target.getvalue()).hexdigest()[:20]}.png"
        (self._masks / name).write_bytes(target.getvalue())
        return f"masks/{name}"


def _draw_name(odds: Mapping[str, float], draw: np.random.Generator) -> str:
    return list(odds)[int(draw.choice(len(odds), p=list(odds.values())))]


def name_view(view: View) -> str:
    """Return the angles of a camera as angiographers say them; straight ones go without saying."""
    turned = f"{'LAO' if view.oblique > 0 else 'RAO'} {abs(view.oblique)}" if view.oblique else ""
    tilted = f"{'CRA' if view.tilt > 0 else 'CAU'} {abs(view.tilt)}" if view.tilt else ""
    return f"{turned} {tilted}".strip() or "AP"


def _hash(shown: Shown) -> str:
    """Return the SHA-256 of the stored samples, little-endian, frame by frame."""
    return hashlib.sha256(np.ascontiguousarray(shown.stored).tobytes()).hexdigest()
