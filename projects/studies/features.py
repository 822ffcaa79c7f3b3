"""Frozen towers run once: what they make of every clip and report of a run, found or made."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import barrier, broadcast_json, is_main, rank, world_size
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.core.progress import progress
from cinelex.data.features.store import FeatureStore, FeatureWriter, clip_key, text_key
from cinelex.data.video.ingest import SETTINGS, disk_refusal
from cinelex.data.video.transforms import to_float
from cinelex.data.video.videos import StoredVideos
from cinelex.models.contracts import PretrainedText, PretrainedVideo, VideoEncoder
from cinelex.models.frozen import frozen_trunk, trunk_hash
from cinelex.models.terms_and_sentences import TermsAndSentences
from cinelex.models.video_text import VideoText
from cinelex.projects.studies.encoding import device_of, evaluating
from cinelex.projects.studies.kept import Kept

CLIPS_AT_ONCE = 8
TEXTS_AT_ONCE = 32
COMPARED = 2
"""Features that were there before are made again, to see that the tower still makes them."""
TOLERANCE = {"fp32": 1e-3, "bf16": 3e-2}
"""Of their largest number: another device rounds otherwise."""
Clip = tuple[StoredVideos, Path, Sequence[int]]
Rows = Callable[[Sequence[str]], Sequence[Float[Tensor, "token native"]]]
"""From a few keys to what the tower makes of what they stand for."""


@torch.no_grad()
def keep_features(
    config: RunConfig,
    model: VideoText,
    splits: Sequence[Kept | None],
    *,
    pixels_for: str | None,
) -> list[str]:
    """Give data sets what the frozen towers of a model make of them, from the cache or anew.

    All ranks call it together; each makes its share of what is missing.

    Args:
        config: The run.
        model: Has its weights, and is on its device.
        splits: What it trains on, and then what it is measured on, where there is such.
        pixels_for: Who needs the pixels all the same; None where nobody does.

    Returns:
        The towers whose features are kept, "video" and "text".

    Raises:
        UserError: The disk is full, or what is kept is not what the tower makes.
    """
    kept, there = [], [split for split in splits if split is not None]
    form = model.closed_form
    if form is not None and form.clips and not form.trunk:
        pixels_for = "the closed form looks at pixels"
    for dataset in there:
        dataset.pixels_evaluated = form is not None and bool(form.clips)
    if config.features.keep == "never":
        return []
    with evaluating(model):
        if keep_clips(config, model.video_encoder, splits, pixels_for=pixels_for):
            kept.append("video")
        if frozen_trunk(model.text_encoder):
            _keep_texts(config, model, there)
            kept.append("text")
    return kept


@torch.no_grad()
def keep_clips(
    config: RunConfig,
    encoder: VideoEncoder,
    splits: Sequence[Kept | None],
    *,
    pixels_for: str | None,
) -> bool:
    """Give data sets what a video encoder with a frozen pretrained part makes of their clips.

    Arguments are those of `keep_features`; the encoder is in evaluation mode. Returns whether the
    features are kept.
    """
    if config.features.keep == "never" or not frozen_trunk(encoder):
        return False
    assert isinstance(encoder, PretrainedVideo)
    there = [split for split in splits if split is not None]
    why_not = pixels_for or _why_not(config, there[0])
    if why_not is not None:
        say(f"the video tower is frozen, but runs in every step: {why_not}")
        return False
    clips = _clips(there)

    def rows(keys: Sequence[str]) -> Sequence[Float[Tensor, "token native"]]:
        frames = [store.cut(video, indices) for store, video, indices in (clips[k] for k in keys)]
        pixels = to_float(torch.stack([torch.from_numpy(clip) for clip in frames]))
        return list(encoder.features(pixels.to(device_of(encoder))))

    store = _kept(config, "video", encoder, list(clips), rows, at_once=CLIPS_AT_ONCE)
    for dataset in there:
        dataset.kept_clips = store
    return True


def _why_not(config: RunConfig, train: Kept) -> str | None:
    """Return what of the config stands between a frozen tower and features that can be kept."""
    if config.parallel == "fsdp":
        return "parallel=fsdp spreads it over the processes; parallel=ddp keeps its features"
    for name, value in config.data.augmentation.model_dump().items():
        if value:
            return f"data.augmentation.{name} changes every clip; 0 keeps its features"
    remedy = "data.sampling.draws=1 keeps the features of one place in each"
    counts = [None if clips is None else len(clips) for _, clips in train.cuts(training=True)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return f"training cuts clips anywhere in a video; {remedy}"
    mean = sum(known) / len(known)
    if mean <= config.features.clips_per_video:
        return None
    return f"a video gives {mean:.0f} different clips; {remedy}"


def _clips(splits: Sequence[Kept]) -> dict[str, Clip]:
    """Return every clip that may be asked for, by its key."""
    clips: dict[str, Clip] = {}
    for dataset in splits:
        for video, found in dataset.cuts(training=dataset is splits[0]):
            assert found is not None
            digest = dataset.store.digest(video)
            clips |= {
                clip_key(digest, indices): (dataset.store, video, indices) for indices in found
            }
    return clips


def _keep_texts(config: RunConfig, model: VideoText, datasets: Sequence[Kept]) -> None:
    encoder, device = model.text_encoder, device_of(model)
    assert isinstance(encoder, PretrainedText)
    texts = {text_key(text): text for dataset in datasets for text in dataset.texts()}
    made, tower = encoder.features, "text"
    if isinstance(encoder, TermsAndSentences) and model.token_head is None:
        made, tower = encoder.summed, "report"  # nobody asks for tokens

    def rows(keys: Sequence[str]) -> Sequence[Float[Tensor, "token native"]]:
        some = [texts[key] for key in keys]
        token_ids = pad_sequence(some, batch_first=True).to(device)
        mask = pad_sequence([torch.ones_like(text) for text in some], batch_first=True) > 0
        found = made(token_ids, mask.to(device))
        return [row[: len(text)] for row, text in zip(found, some, strict=True)]

    store = _kept(config, tower, encoder, list(texts), rows, at_once=TEXTS_AT_ONCE)
    for dataset in datasets:
        dataset.kept_texts = store


def _kept(
    config: RunConfig,
    tower: str,
    encoder: PretrainedVideo | PretrainedText,
    keys: list[str],
    rows: Rows,
    *,
    at_once: int,
) -> FeatureStore:
    """Return a store that has all keys, after making what it lacks."""
    precision = config.features.precision
    folder = config.data.cache / "features" / f"{tower}-{trunk_hash(encoder)}-{precision}"
    missing: list[str] = broadcast_json(
        FeatureStore(folder, precision=precision).missing(keys) if is_main() else None
    )
    found = len(keys) - len(missing)
    if found:
        there = sorted(set(keys) - set(missing))[:COMPARED]
        _compare(FeatureStore(folder, precision=precision), there, rows)
    if missing:
        say(f"the frozen {tower} tower: {found} of {len(keys)} found in {folder}, making the rest")
        _make(config, folder, missing[rank() :: world_size()], rows, at_once=at_once)
        barrier()
    store = FeatureStore(folder, precision=precision)
    (folder / SETTINGS).touch()  # for who asks what can go
    return store


def _make(
    config: RunConfig, folder: Path, keys: Sequence[str], rows: Rows, *, at_once: int
) -> None:
    """Append the features of some keys; what was made when it ends early is kept."""
    starts = range(0, len(keys), at_once)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SETTINGS, {"features": folder.name})
        with FeatureWriter(folder, precision=config.features.precision) as writer:
            for start in progress(starts, total=len(starts), what=f"batches of {at_once}"):
                some = keys[start : start + at_once]
                for key, features in zip(some, rows(some), strict=True):
                    writer.add(key, features)
    except OSError as error:
        raise disk_refusal(error, config.data.cache) from error


def _compare(store: FeatureStore, keys: Sequence[str], rows: Rows) -> None:
    """Refuse features that the tower does not make.

    Raises:
        UserError: Names the folder.
    """
    for key, made in zip(keys, rows(keys), strict=True):
        kept = store.read(key)
        largest = float(kept.abs().max()) * TOLERANCE[store.precision]
        if made.shape != kept.shape or float((made.float().cpu() - kept).abs().max()) > largest:
            raise UserError(
                f"{store.folder}: the tower gives other features than are stored here; delete the "
                "folder, and they are made again"
            )
