"""From what a manifest holds to the keys of a config, each with its reason."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cinelex.data.studies.splits import Shares, split_by_patient
from cinelex.data.studies.studies import Studies
from cinelex.scripts.setup.look import Look

FEW = 5000
"""Training pairs up to which the recipe for few is ahead."""
SHARES = ((0.8, 0.1, 0.1), (0.6, 0.2, 0.2))
MAX_SALT = 100
MIN_SPLIT = 2
"""Studies that each split must have."""
MAX_VIDEOS = 16
LONG_S = 30.0
"""Seconds from which frames spread over the whole of a video lie far apart."""
MIN_CORONARY = 0.3
"""Share of reports with coronary facts from which they are labels."""
TEST = ("test", "val")
"""The splits that can be held out, best first."""


@dataclass(frozen=True)
class Choice:
    """A key, its value, and why it has it."""

    key: str
    value: Any
    why: str


@dataclass(frozen=True)
class Split:
    """How the studies are split."""

    sizes: dict[str, int]
    choices: tuple[Choice, ...]


def choices_of(look: Look, manifest: str, name: str) -> list[Choice]:
    """Return the keys of a config, in the order in which they are written.

    Args:
        look: What there is.
        manifest: Its path, as it is to stand in the config.
        name: Of the run.
    """
    split = split_of(look)
    train = split.sizes["train"]
    few = train <= FEW
    return [
        _recipe(look, train, few=few),
        Choice("name", name, "the run's folder is runs/<name>"),
        *_batch(look, train, few=few),
        *([Choice("clipse.format", "manifest", "a row an image")] if look.images else []),
        Choice("data.manifest", manifest, f"read as {look.manifest.how}"),
        *_columns(look),
        *split.choices,
        *_frames(look, few=few),
        *([] if look.images else _reports(look, few=few)),
    ]


def _recipe(look: Look, train: int, *, few: bool) -> Choice:
    what = "image" if look.images else "study"
    if few:
        base = "config/clipse/small_data.yaml" if look.images else "config/clip/small_data.yaml"
        why = f"{train:,} training pairs: up to {FEW:,} this recipe is ahead (how-to/small-data)"
    else:
        base = "config/clipse/baseline.yaml" if look.images else "config/clip/multitask_config.yaml"
        why = f"{train:,} training pairs: enough to learn both towers, a {what} and its text each"
    return Choice("base", base, why)


def _batch(look: Look, train: int, *, few: bool) -> Iterator[Choice]:
    usual = (128 if few else 256) if look.images else (64 if few else 32)
    if train < usual:
        yield Choice("batch", train, f"no larger than the training split; the recipe has {usual}")


def _columns(look: Look) -> Iterator[Choice]:
    usual = {"study": "study_id", "video": "video_path", "report": "report", "split": "split"}
    for role, guess in look.columns.items():
        if role == "split" and "train" not in look.manifest.splits():
            continue
        if usual.get(role) != guess.name:
            yield Choice(f"data.columns.{role}", guess.name, guess.why)
    root = look.manifest.video_root
    if root != look.manifest.path.parent.absolute():
        yield Choice("data.video_root", str(root), "where the paths start from")


def split_of(look: Look) -> Split:
    """Return the splits that there are, or such as the patients are drawn into."""
    sizes = look.manifest.splits()
    held_out = next((name for name in TEST if sizes.get(name, 0) >= MIN_SPLIT), None)
    if sizes.get("train", 0) >= MIN_SPLIT and held_out is not None:
        if held_out == "test":
            return Split(sizes, ())
        why = "there is no split test: results are of the split that validates"
        return Split(sizes, (Choice("data.test_split", held_out, why),))
    shares, made = _drawn(look.manifest.studies)
    unit = "patient" if "patient" in look.columns else "study (no column of patients)"
    why = f"no column with train and test: drawn by {unit}, {_counts(made)}"
    values: dict[str, float] = {"train": shares.train, "val": shares.val, "test": shares.test}
    if shares.salt:
        values["salt"] = shares.salt
    return Split(made, (Choice("data.split_by_patient", values, why),))


def _drawn(studies: Studies) -> tuple[Shares, dict[str, int]]:
    """Return the first shares and salt with which no split is empty."""
    for train, val, test in SHARES:
        for salt in range(MAX_SALT):
            shares = Shares(train=train, val=val, test=test, salt=salt)
            made = split_by_patient(studies, shares).splits()
            if len(made) == len(SHARES[0]) and min(made.values()) >= MIN_SPLIT:
                return shares, made
    return replace(shares, salt=0), split_by_patient(studies, replace(shares, salt=0)).splits()


def _counts(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {sizes[name]}" for name in ("train", "val", "test") if name in sizes)


def _frames(look: Look, *, few: bool) -> Iterator[Choice]:
    watched = look.watched
    kind = "colour" if watched.color else "gray"
    if watched.looked_at:
        why = f"{watched.looked_at} files that were looked at are {kind}"
        yield Choice("data.channels", 3 if watched.color else 1, why)
    if look.images or not watched.looked_at:
        return
    frames, usual = min(watched.frames), 4 if few else 8
    seconds = f", {statistics.median(watched.seconds):.1f} s" if watched.seconds else ""
    middle = f"a video has {statistics.median(watched.frames):.0f} frames{seconds} (median)"
    if few and frames < usual:
        yield Choice("data.frames", frames, f"the shortest of those looked at has {frames}")
        yield Choice("data.stored_frames", frames, middle)
    else:
        yield Choice("data.frames", usual, f"of a clip, spread over the video; {middle}")
    counts = look.manifest.studies.video_counts
    most, mean = int(counts.max()), float(counts.mean())
    several = f"videos of a study: {mean:.1f} on average, {most} at most"
    yield Choice("data.max_videos", min(most, MAX_VIDEOS), several)


def _reports(look: Look, *, few: bool) -> Iterator[Choice]:
    if look.coronary >= MIN_CORONARY:
        if few:
            why = f"{look.coronary:.0%} of the reports state coronary facts, which are scored"
            yield Choice("evaluation.facts", "coronary", why)
        return
    why = f"{look.coronary:.0%} of the reports state coronary facts"
    if not few:
        yield Choice("loss_weights.facts", 0.0, why)
        plain = "the shipped stem is for contrast in an angiogram; this one sees the scene"
        yield Choice("model.video_encoder.options.subtract_first", False, plain)
        yield Choice("model.video_encoder.options.stem", "conv", plain)
        yield Choice("model.video_encoder.options.normalize_tokens", True, plain)
        yield Choice("data.augmentation.crop", 0.1, "share of the side")
    yield Choice("evaluation.facts", "none", f"{why}: the scores of text remain")


def notes_of(look: Look, *, gpu: bool) -> list[str]:
    """Return what to know that no key says."""
    notes = []
    watched = look.watched
    if look.missing:
        notes.append(
            f"{look.missing} of {look.files} files are not there; above data.reject_limit (1 %) "
            "a run stops: bring them, or take their rows out"
        )
    if watched.unreadable:
        notes.append(
            f"{watched.unreadable} of {watched.unreadable + watched.looked_at} files that were "
            "tried cannot be read; rejects.csv will name them"
        )
    if watched.seconds and max(watched.seconds) > LONG_S:
        notes.append(
            f"videos of up to {max(watched.seconds):.0f} s: frames spread over them lie far apart; "
            "data.sampling={kind: time, seconds: 2, frames_per_s: 4} cuts clips by time instead"
        )
    if "patient" not in look.columns:
        notes.append(
            "no column of patients: two studies of one patient may be in two splits, and count "
            "as each other's negatives; data.columns.patient=NAME mends both"
        )
    towers = "pretrained towers say more than any key here: how-to/pretrained has the kinds"
    notes.append(f"{towers}; on a GPU start from config/clip/gpu_24gb.yaml" if gpu else towers)
    return notes


def name_of(path: Path) -> str:
    """Return the name of a run on a manifest: letters, digits, dot, dash, underscore."""
    plain = path.parent.name if path.stem.lower() in ("manifest", "data", "studies") else path.stem
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in plain)
    return kept.strip("-") or "mine"
