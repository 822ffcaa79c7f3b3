"""From a run and a manifest to a library: only studies that are new to it are encoded."""

import hashlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json, read_json, write_json
from cinelex.core.locks import sole_user
from cinelex.data.studies.drops import Decoded, decoded
from cinelex.data.studies.manifest import Manifest
from cinelex.data.studies.studies import Studies
from cinelex.data.video.ingest import ingest
from cinelex.library import vectors
from cinelex.library.catalog import Case, Catalog, NewCase, Video
from cinelex.library.encoding import batches_of, encode
from cinelex.library.library import ABOUT, CATALOG, FOLDER, Library
from cinelex.library.nulls import NULLS, measure
from cinelex.library.sources import manifest_of, trained_views
from cinelex.library.vectors import Rows, digest_of
from cinelex.projects.studies.stored import ingest_settings, prepared
from cinelex.trained.run import TrainedRun

BATCH: Final = 32
"""Studies that are encoded at once."""
SAVE_EVERY: Final = 128 * BATCH
"""Studies after which what was encoded is kept."""


def bring_up_to_date(run: TrainedRun, folder: Path, manifest: Path | None = None) -> Path:
    """Add the studies of a manifest, or of the run's own, that a run's library lacks.

    Args:
        run: The trained run.
        folder: The run's folder.
        manifest: Studies to add; None takes those of the run.

    Returns:
        The folder of the library.

    Raises:
        UserError: The studies cannot be read, or another process is adding some.
    """
    library = folder / FOLDER
    with sole_user(library, shared=False, remedy="wait until it has done"):
        _same_model(library, run)
        catalog = Catalog(library / CATALOG)
        read = manifest_of(run, manifest)
        new, contents = _new(catalog, read)
        say(f"library: {len(catalog.current())} studies are there, {len(new)} to be added")
        if len(new):
            _add(run, library, catalog, _decode(run, read, new), contents)
        if not len(catalog):
            raise UserError(f"{read.path}: none of its studies has a video that can be read")
        if len(new) or not (library / NULLS).exists():
            measure(library, Library.open(library, run))
    return library


def model_hash(run: TrainedRun) -> str:
    """Return the hash of all weights, by which a library is of one model."""
    digest = hashlib.sha256()
    for name, value in sorted(run.model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _same_model(library: Path, run: TrainedRun) -> None:
    """Begin anew where other weights made the vectors; labels and case lists stay."""
    model = model_hash(run)
    if (library / ABOUT).exists():
        if read_json(library / ABOUT)["model"] == model:
            return
        say(f"{library}: made by other weights of this run; every study is encoded anew")
    for name in (CATALOG, NULLS, vectors.STUDIES, vectors.VIDEOS):
        (library / name).unlink(missing_ok=True)
    write_json(library / ABOUT, {"model": model})


def _new(catalog: Catalog, manifest: Manifest) -> tuple[Studies, dict[str, str]]:
    """Return the studies that are new or have changed, and the content of each by its id."""
    known, contents, places = catalog.contents(), {}, []
    # below the root, so that a data set may move
    names, ends = manifest.studies.video_names, manifest.studies.video_counts.cumsum()
    for place, study in enumerate(manifest.studies):
        videos = names[ends[place] - len(study.videos) : ends[place]].to_pylist()
        about = [videos, study.report, study.patient_id, study.split, dict(study.extra)]
        contents[study.id] = hash_json([*about, study.views])
        if known.get(study.id) != contents[study.id]:
            places.append(place)
    return manifest.studies.take(places), contents


def _decode(run: TrainedRun, manifest: Manifest, studies: Studies) -> Decoded:
    data = run.config.data
    store = ingest(
        studies.video_names,
        root=manifest.video_root,
        cache=data.cache / "frames",
        settings=ingest_settings(data, stored_frames=data.stored_frames),
        source=prepared(data, manifest),
    )
    found = decoded(studies, store)
    if found.rejects:
        say(f"{len(found.rejects)} of {found.videos} videos cannot be read and are left out")
    return found


def _add(
    run: TrainedRun, library: Path, catalog: Catalog, found: Decoded, contents: Mapping[str, str]
) -> None:
    """Encode studies and append them, some thousands at a time."""
    views = trained_views(run)
    batches = batches_of(run, found, views, batch=BATCH)
    for start in range(0, len(found.studies), SAVE_EVERY):
        chunk = found.studies[start : start + SAVE_EVERY]
        study_rows, video_rows = [], []
        for batch in islice(batches, -(-len(chunk) // BATCH)):
            studies, videos = encode(run, batch)
            study_rows.append(studies)
            video_rows.append(videos)
        vectors_of = np.concatenate(study_rows)
        known = (len(catalog), catalog.videos)
        cases = _cases(chunk, found, known, vectors_of, contents)
        vectors.append(
            library,
            run.model.dim,
            studies=vectors_of,
            videos=np.concatenate(video_rows),
            known=known,
        )
        catalog.add(cases)


def _cases(
    studies: Studies,
    found: Decoded,
    known: tuple[int, int],
    rows: Rows,
    contents: Mapping[str, str],
) -> list[NewCase]:
    cases, number = [], known[1]
    for place, study in enumerate(studies):
        videos = []
        for video, view in zip(study.videos, study.views or [""] * len(study.videos), strict=True):
            key = found.store.entry(video).content
            videos.append(Video(number, view, found.store.folder, key))
            number += 1
        fields = {name: value for name, value in study.extra.items() if value}
        case = Case(
            known[0] + place,
            study.id,
            study.patient_id,
            study.report,
            tuple(videos),
            {"split": study.split, **fields},
        )
        cases.append(NewCase(case, contents[study.id], digest_of(rows[place])))
    return cases
