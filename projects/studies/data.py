"""The studies of a run: from what a config names to what a project trains on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import DataConfig, RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main, main_first
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.data.prepare.walk import Share
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.choice import ViewChoice
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import Decoded, check_rejects, decoded
from cinelex.data.studies.manifest import Manifest
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Columns, split_name
from cinelex.data.studies.tokens import encoded_reports
from cinelex.data.text.saved import load_tokenizer, tokenizer_hash
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.ingest import ingest
from cinelex.data.video.videos import StoredVideos
from cinelex.projects.interface.towers import Towers, kept_towers
from cinelex.projects.studies.described import Described, errors_by_study
from cinelex.projects.studies.manifests import (
    VALIDATION,
    check_manifest,
    columns_of,
    counted,
    read_manifest,
    read_others,
    validation_split,
)
from cinelex.projects.studies.stored import ingest_settings, prepared, sampling_of
from cinelex.projects.studies.tokenizers import keep_tokenizer_of


@dataclass(frozen=True)
class StudyData:
    """Everything of the manifest that a run reads."""

    tokenizer: Tokenizer
    train: StudyDataset
    known: StudyDataset
    """These, and those that were taken from them to validate: what is solved is solved on all."""
    validation: StudyDataset | None
    """None where the manifest has no such split."""
    test: StudyDataset
    described: Described[StudyDataset]
    """What inference describes: the test studies, or those of a manifest of their own."""
    sampler: StudySampler
    """The order of the training studies."""
    towers: Towers
    """What a run that has begun keeps of its towers."""
    hash: str
    """Of the manifest, of every video's bytes, and of the way they were read."""
    manifest: tuple[Path, str]
    """The manifest that was read, and its column of study ids."""


SYNTHETIC_FRAMES = 16
"""Frames of a synthetic cine where the cache keeps all."""
MadeSet = tuple[Path, Columns]
"""A manifest that was made, and where each thing stands in it."""
MakeSet = Callable[[RunConfig], MadeSet]


def open_study_data(
    config: RunConfig,
    folder: Path,
    *,
    made: MakeSet | None = None,
    output: Path | None = None,
    extra: Sequence[str] = (),
) -> StudyData:
    """Read the manifest, decode what is not in the cache yet, and get the tokenizer ready.

    All ranks call it together; the main one does the work that leaves files behind, first.

    Args:
        config: The run.
        folder: The run's folder: ``tokenizer/`` is kept there.
        made: Makes the set that is read where the config names no manifest; None makes cines.
        output: Where ``rejects.csv`` is written; None takes the run's folder.
        extra: Further columns of the manifest that are kept with each study.

    Raises:
        UserError: Something in the manifest or too many of the videos cannot be used.
    """
    manifest, found, others = main_first(
        lambda: _read(config, folder, output or folder, made or make_cines, extra)
    )
    own = folder / "tokenizer"
    tokenizer, identity = load_tokenizer(own), tokenizer_hash(own)
    say(counted(manifest, found.studies))
    views = found.studies.of_split(split_name(config.data.train_split)).view_names()

    def dataset(*splits: str) -> StudyDataset:
        chosen = found.studies.of_split(*(split_name(split) for split in splits))
        if not len(chosen):
            raise UserError(f"{manifest.path}: no study of split {splits[0]} has a readable video")
        return _dataset(config, chosen, found.store, tokenizer, identity, views)

    train, test = dataset(config.data.train_split), dataset(config.data.test_split)
    if (validation := validation_split(config.data, manifest)) is None:
        say(f"no split {VALIDATION!r} in the manifest: no validation during training")
    return StudyData(
        tokenizer=tokenizer,
        train=train,
        known=dataset(config.data.train_split, VALIDATION) if manifest.held_out else train,
        validation=None if validation is None else dataset(validation),
        test=test,
        described=_described(config, manifest, found, others, test, identity),
        sampler=StudySampler(
            studies=len(train), batch=min(config.batch, len(train)), seed=config.seed
        ),
        towers=kept_towers(folder, anew=config.resume_skip),
        hash=hash_json({"manifest": manifest.hash, "store": found.store.hash}),
        manifest=(manifest.path, manifest.study_column),
    )


def _read(
    config: RunConfig, folder: Path, output: Path, made: MakeSet, extra: Sequence[str]
) -> tuple[Manifest, Decoded, tuple[Manifest, Decoded] | None]:
    """Return the manifest, its decoded studies, and both of what inference describes if others.

    The main rank leaves on disk what every rank reads: videos, frames, rejects, tokenizer.
    """
    data = config.data
    path, columns = data.manifest, columns_of(data, *extra)
    others = read_others(data)
    if path is None:
        path, columns = made(config)
    manifest = read_manifest(data, path, columns)
    check_manifest(config, manifest, output=output)
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
        reports = found.studies.of_split(train).reports
        keep_tokenizer_of(config.tokenizer, reports, folder)
    return manifest, found, (others, _decoded(data, others)) if others else None


def _described(
    config: RunConfig,
    manifest: Manifest,
    found: Decoded,
    others: tuple[Manifest, Decoded] | None,
    test: StudyDataset,
    identity: str,
) -> Described[StudyDataset]:
    """Return what inference describes, by its own manifest or the test split."""
    own = others is not None
    read, kept = others or (manifest, found)
    split = split_name(config.data.test_split)
    asked = read.studies if own else read.studies.of_split(split)
    counts = dict(zip(asked.ids, asked.video_counts.tolist(), strict=True))
    errors = errors_by_study(kept.rejects)
    samples: StudyDataset | None = None if own else test
    if own and len(kept.studies):
        samples = _dataset(config, kept.studies, kept.store, test.tokenizer, identity, test.views)
    return Described(
        source=str(read.path),
        own=own,
        asked=counts,
        unread={name: errors[name] for name in counts if name in errors},
        nameless=read.dropped["no_video"] if own else 0,
        hash=hash_json({"manifest": read.hash, "store": kept.store.hash}),
        samples=samples,
    )


def decode_share(config: RunConfig, share: Share) -> StoredVideos:
    """Decode one machine's share of the videos that a run names, and leave the rest to the others.

    Raises:
        UserError: The run names no manifest, or there is no video in it.
    """
    if config.data.manifest is None:
        raise UserError("data.manifest: --part shares the videos of a manifest; name one")
    manifest = read_manifest(config.data, config.data.manifest, columns_of(config.data))
    return _ingested(config.data, manifest, share)


def _decoded(config: DataConfig, manifest: Manifest) -> Decoded:
    return decoded(manifest.studies, _ingested(config, manifest, None))


def _ingested(config: DataConfig, manifest: Manifest, share: Share | None) -> StoredVideos:
    return ingest(
        manifest.studies.video_names,
        root=manifest.video_root,
        cache=config.cache / "frames",
        settings=ingest_settings(config, stored_frames=config.stored_frames),
        source=prepared(config, manifest),
        share=share,
    )


def _dataset(
    config: RunConfig,
    studies: Studies,
    store: StoredVideos,
    tokenizer: Tokenizer,
    identity: str,
    views: Sequence[str],
) -> StudyDataset:
    """Return the studies with their tokens, which the main rank encodes; they are kept."""
    cache = config.data.cache / "tokens"
    return StudyDataset(
        studies,
        store,
        tokenizer,
        sampling=sampling_of(config.data),
        max_videos=config.data.max_videos,
        seed=config.seed,
        views=views,
        choice=ViewChoice(balanced=config.data.balance_views, dropout=config.data.view_dropout),
        tokens=main_first(
            lambda: encoded_reports(studies, tokenizer, cache=cache, identity=identity)
        ),
    )


def make_cines(config: RunConfig) -> MadeSet:
    """Make the synthetic cines that the config describes, unless they are there."""
    # here, because most runs need none
    from cinelex.data.synthetic.cines.settings import StudySetSettings
    from cinelex.data.synthetic.cines.study_set import make_study_set

    data = config.data
    options = data.synthetic.model_dump()
    splits = {f"{name}_studies": options.pop(name) for name in ("train", "val", "test")}
    settings = StudySetSettings(
        size=data.size, frames=data.stored_frames or SYNTHETIC_FRAMES, **splits, **options
    )
    path = make_study_set(settings, data.cache / "synthetic")
    return path, Columns(patient="patient_id", noise_mse="noise_mse")
