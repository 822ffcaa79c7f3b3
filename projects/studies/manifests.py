"""The manifest of a run: read as the config says, and checked before anything is decoded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cinelex.config.schema import DataConfig, RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.data.studies.drops import check_rejects
from cinelex.data.studies.manifest import DROPPED, Manifest, load_manifest
from cinelex.data.studies.presence import missing_videos, where_others_are, where_they_are
from cinelex.data.studies.splits import Shares, hold_out, split_names_text
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Columns, split_name

VALIDATION = "val"
"""The split that validates where the config names none."""
MIN_TRAINING = 20
"""Training studies of which a share can be spared."""


def columns_of(data: DataConfig, *extra: str) -> Columns:
    """Return the columns that the config names, and further ones."""
    named = data.columns.model_dump()
    subgroups = named.pop("subgroups")
    del named["groups"]  # read where scores are told apart
    return Columns(**named, extra=tuple(dict.fromkeys([*subgroups, *extra])))


def shares_of(data: DataConfig) -> Shares | None:
    """Return how patients are shared out among splits; None where a column says it."""
    shares = data.split_by_patient
    return None if shares is None else Shares(**shares.model_dump())


def read_manifest(data: DataConfig, path: Path, columns: Columns) -> Manifest:
    """Read a manifest with reports and splits, and say how it was read."""
    manifest = load_manifest(
        path,
        columns=columns,
        separator=data.separator,
        encoding=data.encoding,
        video_root=data.video_root,
        links_out=data.links_out,
        shares=shares_of(data),
    )
    say(f"manifest: {manifest.how}")
    return _with_validation(data, manifest)


def _with_validation(data: DataConfig, manifest: Manifest) -> Manifest:
    """Take a share of the training patients for validation, where no split is for that."""
    share, train = data.validation_share, split_name(data.train_split)
    there = validation_split(data, manifest) is not None
    if there or share == 0 or manifest.splits().get(train, 0) < MIN_TRAINING:
        return manifest
    studies = hold_out(manifest.studies, split=train, share=share, name=VALIDATION)
    hashed = hash_json({"of": manifest.hash, "held out": share})
    found = replace(manifest, studies=studies, hash=hashed, held_out=True)
    say(
        f"no split {VALIDATION!r} in the manifest: {found.splits()[VALIDATION]} training studies "
        f"validate instead, {share:.0%} of the patients (data.validation_share)"
    )
    return found


def read_others(data: DataConfig) -> Manifest | None:
    """Read studies to describe, of which nobody reads reports, splits or patients; None if none.

    Raises:
        UserError: No video of them is there.
    """
    if data.inference_manifest is None:
        return None
    named = data.columns
    manifest = load_manifest(
        data.inference_manifest,
        columns=Columns(study=named.study, video=named.video, report=None, split=None),
        separator=data.separator,
        encoding=data.encoding,
        video_root=data.video_root,
        links_out=data.links_out,
        require_reports=False,
    )
    if is_main() and (problems := _nowhere(manifest, missing_videos(manifest.studies))):
        raise UserError(f"{manifest.path}: {problems[0]}")
    return manifest


def validation_split(data: DataConfig, manifest: Manifest) -> str | None:
    """Return the split that validates during the run; None where there is none to take."""
    if data.validation_split is None:
        return VALIDATION if VALIDATION in manifest.splits() else None
    return data.validation_split


def left_out(manifest: Manifest, studies: Studies) -> dict[str, int]:
    """Return how many studies of a manifest are left out, by why."""
    dropped = {DROPPED[why]: number for why, number in manifest.dropped.items()}
    return dropped | {"without a video that can be read": len(manifest.studies) - len(studies)}


def counted(manifest: Manifest, studies: Studies) -> str:
    """Return what a manifest holds, and what of it was left out, in one line."""
    splits = ", ".join(f"{name} {count}" for name, count in manifest.splits().items())
    whys = left_out(manifest, studies)
    why = ", ".join(f"{number} {reason}" for reason, number in whys.items() if number)
    dropped = f"{sum(whys.values())} studies dropped" + (why and f" ({why})")
    videos = int(studies.video_counts.sum())
    cut = f"; {manifest.reports_cut} reports cut" if manifest.reports_cut else ""
    return f"studies: {splits}; {videos} videos; {dropped}{cut}"


def check_manifest(config: RunConfig, manifest: Manifest, *, output: Path) -> None:
    """Look for all that can be known to be wrong before a video is decoded.

    Args:
        config: The run.
        manifest: Its studies.
        output: Folder in which ``rejects.csv`` lists the videos that are missing.

    Raises:
        UserError: A split or every video is missing, there is one study to train on, or more
            videos are missing than may be lost; the message says all of it.
    """
    missing = missing_videos(manifest.studies) if is_main() else np.zeros(0, bool)
    problems = [*_split_problems(config, manifest), *_nowhere(manifest, missing)]
    if problems:
        raise UserError(f"{manifest.path}: {'; '.join(problems)}")
    if missing.sum() > config.data.reject_limit * len(missing):
        _refuse_missing(config.data, manifest, missing, output)


def _nowhere(manifest: Manifest, missing: Bool[np.ndarray, " video"]) -> list[str]:
    """Return what is wrong and what to do where every video is missing."""
    if not (missing.any() and missing.all()):
        return []
    hint = where_they_are(manifest.studies, beside=manifest.path.parent)
    remedy = hint or "set data.video_root to the folder the paths start from"
    return [f"none of {len(missing)} files is below {manifest.video_root}; {remedy}"]


def _split_problems(config: RunConfig, manifest: Manifest) -> list[str]:
    splits, data = manifest.splits(), config.data
    keys = {
        "data.train_split": data.train_split,
        "data.validation_split": data.validation_split,
        "data.test_split": data.test_split,
    }
    problems = [
        f"no study is in split {name!r} ({key}); there are {split_names_text(splits, wanted=name)}"
        for key, name in keys.items()
        if name is not None and split_name(name) not in splits
    ]
    if splits.get(split_name(data.train_split), 2) < 2:
        problems.append(f"split {data.train_split!r} has one study, and nothing to tell it from")
    return problems


def _refuse_missing(
    data: DataConfig, manifest: Manifest, missing: np.ndarray, output: Path
) -> None:
    studies = manifest.studies
    owners = np.array(studies.ids, object)[studies.video_owner[missing]]
    names = np.array(studies.video_names.to_pylist(), object)[missing]
    check_rejects(
        [(owner, name, "VideoMissing") for owner, name in zip(owners, names, strict=True)],
        videos=len(missing),
        limit=data.reject_limit,
        path=output / "rejects.csv",
        store=str(data.cache / "frames"),
        hint=where_others_are(studies, missing),
    )
