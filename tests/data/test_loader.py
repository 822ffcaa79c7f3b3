"""Studies to batches: exact, resumable, the same for any number of workers and ranks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.ahead import Workers
from cinelex.data.batch import Batch
from cinelex.data.images.dataset import ONE_FRAME
from cinelex.data.loader import evaluation_batches, train_batches
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import decoded
from cinelex.data.studies.studies import Studies, numbered
from cinelex.data.studies.study import Study
from cinelex.data.text.tokenizer import Tokenizer, train_tokenizer
from cinelex.data.video.ingest import IngestSettings, ingest
from cinelex.data.video.resize import Shape
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import StoredVideos
from tests.data.studies.manifests import table_of

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]
THREE = Sampling(frames=3)
REPORTS = ["mid LAD 70%", "no disease", "mid  LAD 70%", "RCA 30%", "LM 20%", "no finding", "LCX"]
SETTINGS = IngestSettings(shape=Shape(size=8, channels=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def studies(folder: Path, write_video: Write) -> Studies:
    """Seven studies with 1, 2, 3, 1, 2, 3, 1 videos of 6 frames, each of its own gray level."""
    found = []
    for place, report in enumerate(REPORTS):
        videos = tuple(folder / f"{place}-{video}.mkv" for video in range(place % 3 + 1))
        for video, path in enumerate(videos):
            levels = 30 * place + 10 * video + np.arange(6)
            pixels = np.broadcast_to(levels[:, None, None, None], (6, 8, 8, 3)).astype(np.uint8)
            write_video(path, pixels, codec="ffv1", pix_fmt="gray", options={})
        found.append(Study(f"s{place}", f"p{place // 2}", videos, report, "train"))
    return table_of(found, folder)


@pytest.fixture(scope="module")
def store(folder: Path, studies: Studies) -> StoredVideos:
    videos = [video for study in studies for video in study.videos]
    bad = [folder / "bad.mkv", folder / "absent.mkv"]
    bad[0].write_bytes(b"\x00\x01\xfe no video")
    return ingest(videos + bad, root=folder, cache=folder / "cache", settings=SETTINGS, workers=1)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(REPORTS, vocab_size=600, max_tokens=5)


@pytest.fixture(scope="module")
def dataset(studies: Studies, store: StoredVideos, tokenizer: Tokenizer) -> StudyDataset:
    return StudyDataset(
        studies, store, tokenizer, sampling=Sampling(frames=3), max_videos=2, seed=1
    )


def equal(one: Batch, other: Batch) -> bool:
    tensors = ("clips", "owner", "token_ids", "report_group", "patient_group", "keys")
    same = all(torch.equal(getattr(one, name), getattr(other, name)) for name in tensors)
    return same and one.study_ids == other.study_ids


def level(clip: torch.Tensor) -> tuple[int, int]:
    """Return the study and the video that a clip shows."""
    gray = int(clip[0, 0, 0, 0])
    return gray // 30, gray % 30 // 10


def test_evaluation_sees_all_videos_at_the_centres_of_their_segments(dataset: StudyDataset) -> None:
    sample = dataset.sample(2, epoch=None)
    assert sample.clips.shape == (3, 3, 8, 8, 1)
    assert sample.clips[:, :, 0, 0, 0].tolist() == [[61, 63, 65], [71, 73, 75], [81, 83, 85]]
    assert sample.keys.tolist() == [keyed_seed(1, "evaluation", "s2", place) for place in range(3)]


def test_evaluation_takes_evenly_spaced_videos_up_to_its_cap(
    studies: Studies, store: StoredVideos, tokenizer: Tokenizer
) -> None:
    capped = StudyDataset(
        studies,
        store,
        tokenizer,
        sampling=ONE_FRAME,
        max_videos=1,
        seed=0,
        evaluation_videos=1,
    )
    assert [level(clip) for clip in capped.sample(5, epoch=None).clips] == [(5, 1)]


def test_training_draws_videos_and_frames_by_key(dataset: StudyDataset) -> None:
    drawn = [dataset.sample(2, epoch=epoch) for epoch in range(30)]
    assert all(len(sample.clips) == 2 for sample in drawn)
    shown = [[level(clip)[1] for clip in sample.clips] for sample in drawn]
    assert all(videos == sorted(set(videos)) for videos in shown)
    assert {video for videos in shown for video in videos} == {0, 1, 2}
    offsets = {int(sample.clips[0, 0, 0, 0, 0]) % 10 for sample in drawn}
    assert offsets == {0, 1}
    again = dataset.sample(2, epoch=4)
    assert torch.equal(again.clips, drawn[4].clips)
    assert torch.equal(again.keys, drawn[4].keys)
    first = level(drawn[4].clips[0])[1]
    assert int(drawn[4].keys[0]) == keyed_seed(1, 4, "s2", first)


def test_equal_reports_and_patients_share_a_group(dataset: StudyDataset) -> None:
    assert dataset.report_groups.tolist() == [0, 1, 0, 2, 3, 4, 5]
    assert dataset.patient_groups.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert numbered(["b", "a", "b"]).tolist() == [0, 1, 0]


@pytest.mark.parametrize("workers", [0, 1, 4, "auto"])
@pytest.mark.parametrize("start", [0, 1, 5])
def test_a_step_is_the_same_from_any_start_and_for_any_workers(
    dataset: StudyDataset, workers: Workers, start: int
) -> None:
    sampler = StudySampler(studies=7, batch=3, seed=1)
    plain = list(islice(train_batches(dataset, sampler, start_step=0, workers=0), 9))
    stream = train_batches(dataset, sampler, start_step=start, workers=workers)
    for step in range(start, 9):
        assert equal(next(stream), plain[step])


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_the_batch_of_one_process(dataset: StudyDataset, world_size: int) -> None:
    sampler = StudySampler(studies=7, batch=5, seed=1)
    whole = next(train_batches(dataset, sampler, start_step=2, workers=0))
    parts = [
        next(
            train_batches(
                dataset, sampler, start_step=2, workers=0, rank=rank, world_size=world_size
            )
        )
        for rank in range(world_size)
    ]
    assert [study for part in parts for study in part.study_ids] == whole.study_ids
    assert torch.equal(torch.cat([part.clips for part in parts]), whole.clips)
    assert torch.equal(torch.cat([part.keys for part in parts]), whole.keys)
    assert torch.equal(torch.cat([part.report_group for part in parts]), whole.report_group)


def test_an_epoch_shows_a_study_once_and_another_epoch_other_frames(dataset: StudyDataset) -> None:
    sampler = StudySampler(studies=7, batch=7, seed=1)
    first, second = islice(train_batches(dataset, sampler, start_step=0, workers=0), 2)
    assert sorted(first.study_ids) == sorted(second.study_ids) == [f"s{i}" for i in range(7)]
    assert not set(first.keys.tolist()) & set(second.keys.tolist())


@pytest.mark.parametrize("world_size", [1, 2, 3, 9])
@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_shows_every_study_once_in_order(
    dataset: StudyDataset, world_size: int, workers: int
) -> None:
    ids = [
        study
        for rank in range(world_size)
        for batch in evaluation_batches(
            dataset, batch=2, rank=rank, world_size=world_size, workers=workers
        )
        for study in batch.study_ids
    ]
    assert ids == [f"s{place}" for place in range(7)]


def test_an_error_in_a_worker_reaches_the_caller(dataset: StudyDataset) -> None:
    sampler = StudySampler(studies=90, batch=3, seed=1)
    stream = train_batches(dataset, sampler, start_step=0, workers=2)
    with pytest.raises(IndexError):
        next(stream)


def test_bad_videos_are_dropped_and_studies_left_without_one(
    studies: Studies, store: StoredVideos, folder: Path
) -> None:
    bad, absent = folder / "bad.mkv", folder / "absent.mkv"
    partly = replace(studies[0], id="partly", videos=(bad, *studies[0].videos))
    lost = replace(studies[0], id="lost", videos=(absent, bad))
    found = decoded(table_of([studies[1], partly, lost], folder), store)
    assert [study.id for study in found.studies] == ["s1", "partly"]
    assert found.studies[1].videos == studies[0].videos
    assert found.rejects == [
        ("partly", "bad.mkv", "VideoCorrupt"),
        ("lost", "absent.mkv", "VideoMissing"),
        ("lost", "bad.mkv", "VideoCorrupt"),
    ]
    assert (found.videos, len(found.studies)) == (6, 2)


def test_a_dataset_refuses_videos_that_were_not_decoded(
    studies: Studies, store: StoredVideos, tokenizer: Tokenizer, folder: Path
) -> None:
    bad = replace(studies[0], videos=(folder / "bad.mkv",))
    with pytest.raises(UserError, match="1 videos are not in the store"):
        StudyDataset(
            table_of([bad], folder),
            store,
            tokenizer,
            sampling=ONE_FRAME,
            max_videos=1,
            seed=0,
        )
    with pytest.raises(UserError, match="no study"):
        StudyDataset(studies.take([]), store, tokenizer, sampling=ONE_FRAME, max_videos=1, seed=0)


def test_several_clips_of_a_video_are_drawn_on_their_own(
    studies: Studies, store: StoredVideos, tokenizer: Tokenizer
) -> None:
    cut, several_of = Sampling(frames=2), Sampling(frames=2, train_clips=3, evaluation_clips=2)
    several = StudyDataset(studies, store, tokenizer, sampling=several_of, max_videos=2, seed=1)
    single = StudyDataset(studies, store, tokenizer, sampling=cut, max_videos=2, seed=1)
    drawn = several.sample(1, epoch=0)
    assert len(drawn.clips) == 6
    assert len(set(drawn.keys.tolist())) == 6
    assert torch.equal(drawn.clips[::3], single.sample(1, epoch=0).clips)
    # segments of 3 frames, cut at a quarter and at three quarters
    shown = several.sample(0, epoch=None).clips[:, :, 0, 0, 0]
    assert shown.tolist() == [[0, 3], [2, 5]]


def test_clips_in_time_need_times(
    studies: Studies, store: StoredVideos, tokenizer: Tokenizer
) -> None:
    sampling = Sampling(frames=2, seconds=0.08)
    timed = StudyDataset(studies, store, tokenizer, sampling=sampling, max_videos=2, seed=1)
    # 6 frames at 25 a second; a clip of 80 ms from the middle
    assert timed.sample(0, epoch=None).clips[0, :, 0, 0, 0].tolist() == [2, 3]
    unknown = mock.patch.object(StoredVideos, "untimed", return_value=3)
    with unknown, pytest.raises(UserError, match=r"3 of 13 videos have no frame times"):
        StudyDataset(studies, store, tokenizer, sampling=sampling, max_videos=2, seed=1)
