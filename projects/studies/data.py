"""The studies of a run: from what a config names to what a project trains on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import DataConfig, RunConfig, TokenizerConfig
from cinelex.core.console import say
from cinelex.core.distributed import barrier, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import check_rejects, decoded
from cinelex.data.studies.study import Columns, Manifest, Study
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.study_set import make_study_set
from cinelex.data.text.pretrained import PretrainedTokenizer
from cinelex.data.text.tokenizer import (
    SETTINGS,
    Tokenizer,
    load_tokenizer,
    train_tokenizer,
)
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.store import FrameStore, ingest


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
    hash: str
    """Of the manifest, of every video's bytes, and of the way they were read."""


MadeSet = tuple[Path, Columns]
"""A manifest that was made, and where each thing stands in it."""


def open_study_data(
    config: RunConfig, folder: Path, *, made: Callable[[RunConfig], MadeSet] | None = None
) -> StudyData:
    """Read the manifest, decode what is not in the cache yet, and get the tokenizer ready.

    All ranks call it together; the main one does the work that leaves files behind, first.

    Args:
        config: The run.
        folder: The run's folder: ``rejects.csv`` and ``tokenizer/`` are kept there.
        made: Makes the set that is read where the config names no manifest; None makes cines.

    Raises:
        UserError: Something in the manifest or too many of the videos cannot be used.
    """
    made = make_cines if made is None else made
    if is_main():
        _prepare(config, folder, made)
    barrier()
    manifest, store, studies = _read(config, made)
    others = _read_described(config)
    tokenizer = load_tokenizer(folder / "tokenizer")
    say(_counts(manifest, studies))

    def dataset(split: str) -> StudyDataset:
        chosen = [study for study in studies if study.split == split]
        if not chosen:
            manifest.split(split)
            raise UserError(f"{manifest.path}: no study of split {split!r} has a readable video")
        return _dataset(config, chosen, store, tokenizer)

    train, test = dataset(config.data.train_split), dataset(config.data.test_split)
    has_validation = config.data.validation_split in manifest.splits()
    if not has_validation:
        say(f"no split {config.data.validation_split!r} in the manifest: no validation on the way")
    return StudyData(
        tokenizer=tokenizer,
        train=train,
        validation=dataset(config.data.validation_split) if has_validation else None,
        test=test,
        described=test if others is None else _dataset(config, others[1], others[0], tokenizer),
        sampler=StudySampler(studies=len(train), batch=config.batch, seed=config.seed),
        hash=hash_json({"manifest": manifest.hash, "store": store.hash}),
    )


def _read_described(config: RunConfig) -> tuple[FrameStore, list[Study]] | None:
    """Return the studies of the inference manifest, whose reports nobody reads."""
    from cinelex.data.studies.manifest import load_manifest

    path = config.data.inference_manifest
    if path is None:
        return None
    named = config.data.columns
    manifest = load_manifest(
        path,
        columns=Columns(study=named.study, video=named.video, report=None, split=None),
        separator=config.data.separator,
        video_root=config.data.video_root,
        require_reports=False,
    )
    store = _ingest(config.data, manifest)
    return store, decoded(manifest.studies, store).studies


def _prepare(config: RunConfig, folder: Path, made: Callable[[RunConfig], MadeSet]) -> None:
    """Leave on disk what every rank then reads: videos, decoded frames, rejects, tokenizer."""
    manifest, store, studies = _read(config, made)
    found = decoded(manifest.studies, store)
    check_rejects(
        found, limit=config.data.reject_limit, path=folder / "rejects.csv", store=store.folder
    )
    if not (folder / "tokenizer" / SETTINGS).exists():
        train = [study.report for study in studies if study.split == config.data.train_split]
        make_tokenizer(config.tokenizer, train).save(folder / "tokenizer")
    _read_described(config)


def _read(
    config: RunConfig, made: Callable[[RunConfig], MadeSet]
) -> tuple[Manifest, FrameStore, list[Study]]:
    """Return the manifest, the decoded frames, and the studies that have any."""
    from cinelex.data.studies.manifest import load_manifest  # here, because it takes a second

    data = config.data
    path, columns = data.manifest, Columns(**data.columns.model_dump())
    if path is None:
        path, columns = made(config)
    manifest = load_manifest(
        path, columns=columns, separator=data.separator, video_root=data.video_root
    )
    store = _ingest(config.data, manifest)
    return manifest, store, decoded(manifest.studies, store).studies


def _ingest(config: DataConfig, manifest: Manifest) -> FrameStore:
    return ingest(
        [video for study in manifest.studies for video in study.videos],
        root=manifest.video_root,
        cache=config.cache / "frames",
        settings=IngestSettings(
            shape=Shape(size=config.size, channels=config.channels),
            stored_frames=config.stored_frames,
            backend=config.decoder,
        ),
    )


def _dataset(
    config: RunConfig, studies: list[Study], store: FrameStore, tokenizer: Tokenizer
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
    settings = StudySetSettings(size=data.size, frames=data.stored_frames, **splits, **options)
    path = make_study_set(settings, data.cache / "synthetic")
    return path, Columns(patient="patient_id", noise_mse="noise_mse")


def make_tokenizer(config: TokenizerConfig, reports: list[str]) -> Tokenizer:
    """Read the tokenizer that the config names, or learn one from the training reports."""
    if config.kind == "open_clip":
        from cinelex.data.text.open_clip import OpenClipTokenizer

        return OpenClipTokenizer(max_tokens=config.max_tokens)
    if config.path is not None:
        return PretrainedTokenizer(config.path, max_tokens=config.max_tokens)
    return train_tokenizer(reports, vocab_size=config.vocab_size, max_tokens=config.max_tokens)


def _counts(manifest: Manifest, studies: list[Study]) -> str:
    splits = ", ".join(f"{name} {count}" for name, count in manifest.splits().items())
    dropped = sum(manifest.dropped.values()) + len(manifest.studies) - len(studies)
    videos = sum(len(study.videos) for study in studies)
    return f"studies: {splits}; {videos} videos; {dropped} studies dropped"
