"""The studies of a run: from what a config names to what a project trains on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import DataConfig, RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main, main_first
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import Decoded, check_rejects, decoded
from cinelex.data.studies.study import Columns, Manifest, Study, split_name
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.study_set import make_study_set
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.ingest import ingest
from cinelex.data.video.videos import StoredVideos
from cinelex.projects.interface.towers import Towers, kept_towers
from cinelex.projects.studies.stored import ingest_settings, prepared
from cinelex.projects.studies.tokenizers import keep_tokenizer_of


@dataclass(frozen=True)
class StudyData:
    """Everything of the manifest that a run reads."""

    tokenizer: Tokenizer
    train: StudyDataset
    validation: StudyDataset | None
    """None where the manifest has no such split."""
    test: StudyDataset
    described: StudyDataset
    """What inference describes: the test studies, or those of a manifest of their own."""
    sampler: StudySampler
    """The order of the training studies."""
    towers: Towers
    """What a run that has begun keeps of its towers."""
    hash: str
    """Of the manifest, of every video's bytes, and of the way they were read."""


SYNTHETIC_FRAMES = 16
"""Frames of a synthetic cine where the cache keeps all."""
MadeSet = tuple[Path, Columns]
"""A manifest that was made, and where each thing stands in it."""


def open_study_data(
    config: RunConfig,
    folder: Path,
    *,
    made: Callable[[RunConfig], MadeSet] | None = None,
    output: Path | None = None,
) -> StudyData:
    """Read the manifest, decode what is not in the cache yet, and get the tokenizer ready.

    All ranks call it together; the main one does the work that leaves files behind, first.

    Args:
        config: The run.
        folder: The run's folder: ``tokenizer/`` is kept there.
        made: Makes the set that is read where the config names no manifest; None makes cines.
        output: Where ``rejects.csv`` is written; None takes the run's folder.

    Raises:
        UserError: Something in the manifest or too many of the videos cannot be used.
    """
    manifest, found, described = main_first(
        lambda: _read(config, folder, output or folder, made or make_cines)
    )
    tokenizer = load_tokenizer(folder / "tokenizer")
    say(_counts(manifest, found.studies))

    def dataset(split: str) -> StudyDataset:
        chosen = [study for study in found.studies if study.split == split_name(split)]
        if not chosen:
            manifest.split(split)
            raise UserError(f"{manifest.path}: no study of split {split!r} has a readable video")
        return _dataset(config, chosen, found.store, tokenizer)

    train, test = dataset(config.data.train_split), dataset(config.data.test_split)
    has_validation = split_name(config.data.validation_split) in manifest.splits()
    if not has_validation:
        say(f"no split {config.data.validation_split!r} in the manifest: no validation on the way")
    return StudyData(
        tokenizer=tokenizer,
        train=train,
        validation=dataset(config.data.validation_split) if has_validation else None,
        test=test,
        described=(
            test
            if described is None
            else _dataset(config, described.studies, described.store, tokenizer)
        ),
        sampler=StudySampler(studies=len(train), batch=config.batch, seed=config.seed),
        towers=kept_towers(folder, anew=config.resume_skip),
        hash=hash_json({"manifest": manifest.hash, "store": found.store.hash}),
    )


def _read(
    config: RunConfig, folder: Path, output: Path, made: Callable[[RunConfig], MadeSet]
) -> tuple[Manifest, Decoded, Decoded | None]:
    """Return the manifest, its decoded studies, and those that inference describes if others.

    The main rank leaves on disk what every rank reads: videos, frames, rejects, tokenizer.
    """
    from cinelex.data.studies.manifest import load_manifest  # here, because it takes a second

    data = config.data
    path, columns = data.manifest, Columns(**data.columns.model_dump())
    if path is None:
        path, columns = made(config)
    manifest = load_manifest(
        path, columns=columns, separator=data.separator, video_root=data.video_root
    )
    found = _decoded(data, manifest)
    if is_main():
        check_rejects(
            found.rejects,
            videos=found.videos,
            limit=data.reject_limit,
            path=output / "rejects.csv",
            store=found.store.folder,
        )
        train = split_name(data.train_split)
        reports = [study.report for study in found.studies if study.split == train]
        keep_tokenizer_of(config.tokenizer, reports, folder)
    if data.inference_manifest is None:
        return manifest, found, None
    named = data.columns
    others = load_manifest(
        data.inference_manifest,
        # nobody reads their reports
        columns=Columns(study=named.study, video=named.video, report=None, split=None),
        separator=data.separator,
        video_root=data.video_root,
        require_reports=False,
    )
    return manifest, found, _decoded(data, others)


def _decoded(config: DataConfig, manifest: Manifest) -> Decoded:
    store = ingest(
        [video for study in manifest.studies for video in study.videos],
        root=manifest.video_root,
        cache=config.cache / "frames",
        settings=ingest_settings(config, stored_frames=config.stored_frames),
        source=prepared(config, manifest),
    )
    return decoded(manifest.studies, store)


def _dataset(
    config: RunConfig, studies: list[Study], store: StoredVideos, tokenizer: Tokenizer
) -> StudyDataset:
    return StudyDataset(
        studies,
        store,
        tokenizer,
        frames=config.data.frames,
        max_videos=config.data.max_videos,
        seed=config.seed,
    )


def make_cines(config: RunConfig) -> MadeSet:
    """Make the synthetic cines that the config describes, unless they are there."""
    data = config.data
    options = data.synthetic.model_dump()
    splits = {f"{name}_studies": options.pop(name) for name in ("train", "val", "test")}
    settings = StudySetSettings(
        size=data.size, frames=data.stored_frames or SYNTHETIC_FRAMES, **splits, **options
    )
    path = make_study_set(settings, data.cache / "synthetic")
    return path, Columns(patient="patient_id", noise_mse="noise_mse")


def _counts(manifest: Manifest, studies: list[Study]) -> str:
    splits = ", ".join(f"{name} {count}" for name, count in manifest.splits().items())
    dropped = sum(manifest.dropped.values()) + len(manifest.studies) - len(studies)
    videos = sum(len(study.videos) for study in studies)
    cut = f"; {manifest.reports_cut} reports cut" if manifest.reports_cut else ""
    return f"studies: {splits}; {videos} videos; {dropped} studies dropped{cut}"
