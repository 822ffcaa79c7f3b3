"""The captioned images of a run: from what a config names to what the project trains on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import ClipseConfig, RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main, main_first
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.data.images.captioned import CaptionedImage, ImageSet
from cinelex.data.images.dataset import CaptionedImages
from cinelex.data.images.formats import FORMATS
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.drops import check_rejects, rejected
from cinelex.data.studies.study import split_name
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import ingest
from cinelex.data.video.videos import StoredVideos
from cinelex.projects.clipse.order import sampler_of
from cinelex.projects.interface.towers import Towers, kept_towers
from cinelex.projects.studies.described import Described, errors_by_study
from cinelex.projects.studies.manifests import (
    VALIDATION,
    check_manifest,
    columns_of,
    read_manifest,
    read_others,
)
from cinelex.projects.studies.stored import ingest_settings, prepared
from cinelex.projects.studies.tokenizers import keep_tokenizer_of

Read = tuple[ImageSet, StoredVideos]
"""Images with their captions, and the pixels of those that could be read."""


@dataclass(frozen=True)
class ClipseData:
    """Everything of a data set of captioned images that a run reads."""

    tokenizer: Tokenizer
    train: CaptionedImages
    known: CaptionedImages
    """These, and those that were taken from them to validate: what is solved is solved on all."""
    validation: CaptionedImages | None
    """None where the data set has no such split."""
    test: CaptionedImages
    described: Described[CaptionedImages]
    """What inference describes: the test images, or those of a manifest of their own."""
    sampler: StudySampler
    """The order of the training images."""
    towers: Towers
    """What a run that has begun keeps of its towers."""
    hash: str
    """Of captions, splits, labels and every image's bytes, and of the way they were read."""


def open_clipse_data(config: RunConfig, folder: Path, *, output: Path | None = None) -> ClipseData:
    """Read the captions, decode the images that are not in the cache, get the tokenizer ready.

    All ranks call it together; the main one does the work that leaves files behind, first.

    Args:
        config: The run.
        folder: The run's folder: ``tokenizer/`` is kept there.
        output: Where ``rejects.csv`` is written; None takes the run's folder.

    Raises:
        UserError: The data set is not whole enough to be used.
    """
    refuse_clips(config)
    images, store, others = main_first(lambda: _read(config, folder, output or folder))
    tokenizer = load_tokenizer(folder / "tokenizer")

    def dataset(*splits: str) -> CaptionedImages | None:
        names = {split_name(split) for split in splits}
        chosen = [i for i in images.images if i.split in names and i.path in store]
        return CaptionedImages(chosen, store, tokenizer, seed=config.seed) if chosen else None

    named = split_name(config.data.validation_split or VALIDATION)
    if not images.split(named):
        say(f"no split {named!r} among the images: no validation during training")
    train, test = dataset(config.data.train_split), dataset(config.data.test_split)
    if train is None or test is None:
        raise UserError(
            f"data.{'train' if train is None else 'test'}_split: no image of it can be read; "
            f"there are {_counts(images)}"
        )
    say(f"images: {_counts(images)}; {len(set(train.labels.tolist()))} different training labels")
    return ClipseData(
        tokenizer=tokenizer,
        train=train,
        known=(images.held_out and dataset(config.data.train_split, named)) or train,
        validation=dataset(config.data.validation_split or VALIDATION),
        test=test,
        described=_described(config, (images, store), others, test),
        sampler=sampler_of(config, train),
        towers=kept_towers(folder, anew=config.resume_skip),
        hash=hash_json({"images": images.hash, "store": store.hash}),
    )


def refuse_clips(config: RunConfig) -> None:
    """Refuse clips of several frames.

    Raises:
        UserError: Names the key.
    """
    if config.data.frames != 1:
        raise UserError(f"data.frames: images are videos of one frame, got {config.data.frames}")


def _read(
    config: RunConfig, folder: Path, output: Path
) -> tuple[ImageSet, StoredVideos, Read | None]:
    """Return the captions and the decoded pixels of all images, and of those for inference.

    The main rank leaves on disk what every rank reads: images, pixels, rejects, tokenizer.
    """
    data, still = config.data, config.clipse.format != "manifest"
    others = read_others(data)
    images, root, source = _image_set(config, output)
    settings = ingest_settings(data, stored_frames=1 if still else data.stored_frames)
    paths, cache = [image.path for image in images.images], data.cache / "frames"
    store = ingest(paths, root=root, cache=cache, settings=settings, source=source)
    if is_main():
        check_rejects(
            rejected(((image.id, image.path) for image in images.images), store),
            videos=len(images.images),
            limit=data.reject_limit,
            path=output / "rejects.csv",
            store=store.folder,
        )
        captions = all_captions(images.split(split_name(data.train_split)))
        keep_tokenizer_of(config.tokenizer, captions, folder)
    if others is None:
        return images, store, None
    named = tuple(
        CaptionedImage(id=s.id, path=s.videos[0], captions=("",), split=s.split, label="")
        for s in others.studies
    )
    found = ingest(
        [image.path for image in named],
        root=others.video_root,
        cache=data.cache / "frames",
        settings=settings,
        source=prepared(data, others),
    )
    return images, store, (ImageSet(named), found)


def _described(
    config: RunConfig, own: Read, others: Read | None, test: CaptionedImages
) -> Described[CaptionedImages]:
    """Return what inference describes, by its own manifest or the test split."""
    images, store = others or own
    asked = images.images if others else images.split(split_name(config.data.test_split))
    read = [image for image in asked if image.path in store]
    samples = test if others is None else None
    if others and read:
        samples = CaptionedImages(read, store, test.tokenizer, seed=config.seed)
    return Described(
        source=str(config.data.inference_manifest) if others else "test images",
        own=others is not None,
        asked={image.id: 1 for image in asked},
        unread=errors_by_study(rejected(((image.id, image.path) for image in asked), store)),
        nameless=0,
        hash=hash_json({"images": images.hash, "store": store.hash}),
        samples=samples,
    )


def refuse_no_root(clipse: ClipseConfig) -> None:
    """Refuse a format whose files nobody names."""
    if clipse.root is None and clipse.format not in ("flickr8k", "manifest"):
        raise UserError(
            f"clipse.root: {clipse.format} is read from the folder of its download; name it "
            "(only the made-up set, in Flickr8k's format, needs none)"
        )


Found = tuple[ImageSet, Path, FrameStore | None]
"""Images, the folder that they are below, and the store of prepared cines."""


def _image_set(config: RunConfig, output: Path) -> Found:
    """Return what the captions' files say, and where the images are."""
    clipse, root = config.clipse, config.clipse.root
    if clipse.format == "manifest":
        return _from_manifest(config, output)
    refuse_no_root(clipse)
    if root is None:
        # here, because most runs need none
        from cinelex.data.synthetic.scenes.scene_set import MadeUpSettings, make_image_set

        made = MadeUpSettings(size=config.data.size, **clipse.synthetic.model_dump())
        root = make_image_set(made, config.data.cache / "synthetic")
    root = root.absolute()  # paths of images begin with it, whatever the working folder
    return FORMATS[clipse.format].read(root), root, None


def _from_manifest(config: RunConfig, output: Path) -> Found:
    """Return every study with its first video as an image, and its report as the caption."""
    data, label, more = config.data, config.clipse.label_column, config.clipse.caption_columns
    if data.manifest is None:
        raise UserError("data.manifest: clipse.format manifest needs one; name the file")
    manifest = read_manifest(data, data.manifest, columns_of(data, *filter(None, (label, *more))))
    check_manifest(config, manifest, output=output)
    several = int((manifest.studies.video_counts > 1).sum())
    if several:
        say(
            f"images: {several} studies have several videos, of which the first is taken; "
            f"data.columns.study={data.columns.video} makes each an image of its own"
        )
    images = tuple(
        CaptionedImage(
            id=study.id,
            path=study.videos[0],
            captions=(study.report, *filter(None, (study.extra[name] for name in more))),
            split=study.split,
            label=study.extra[label] if label else "",
            patient=study.patient_id,
        )
        for study in manifest.studies
    )
    found = ImageSet(images, held_out=manifest.held_out), manifest.video_root
    return *found, prepared(data, manifest)


def _counts(images: ImageSet) -> str:
    return ", ".join(f"{s} {n}" for s, n in Counter(i.split for i in images.images).items())


def all_captions(images: Sequence[CaptionedImage]) -> list[str]:
    """Return every caption of the images, in order."""
    return [caption for image in images for caption in image.captions]
