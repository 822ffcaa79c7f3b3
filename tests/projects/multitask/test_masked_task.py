"""Which clips are masked, and that masks belong to clips and not to batches."""

from dataclasses import replace

import pytest
import torch

from cinelex.core.randomness import keyed_seed
from cinelex.core.uniform import uniform
from cinelex.data.batch import Batch
from cinelex.models.tubelets import cut_tubelets, join_tubelets
from cinelex.projects.multitask.masked_task import (
    CHOICE,
    MaskedTask,
    choose_clips,
)

CLIPS_OF_STUDY = (3, 1, 5, 2)
TASK = MaskedTask(grid=(2, 4, 4), tubelet=(2, 4, 4), ratio=0.75, clips_per_study=2)


def batch(clips_of_study: tuple[int, ...] = CLIPS_OF_STUDY) -> Batch:
    """Studies with these numbers of clips."""
    owner = [study for study, clips in enumerate(clips_of_study) for _ in range(clips)]
    random = torch.Generator().manual_seed(0)
    studies = len(clips_of_study)
    return Batch(
        study_ids=[f"s{study}" for study in range(studies)],
        clips=torch.randint(256, (len(owner), 4, 16, 16, 1), generator=random, dtype=torch.uint8),
        owner=torch.tensor(owner),
        token_ids=torch.ones(studies, 4, dtype=torch.int64),
        report_group=torch.arange(studies),
        patient_group=torch.arange(studies),
        keys=torch.tensor([keyed_seed(0, clip) for clip in range(len(owner))]),
        clip_counts=clips_of_study,
    )


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_the_clips_with_the_lowest_draws_are_chosen(most: int) -> None:
    studies = batch()
    draw = uniform(studies.keys, count=1, stream=CHOICE)[:, 0].tolist()
    expected = []
    for study in range(studies.studies):
        own = [clip for clip, owner in enumerate(studies.owner.tolist()) if owner == study]
        expected += sorted(own, key=lambda clip: draw[clip])[:most]
    assert choose_clips(studies, max_clips=most).tolist() == sorted(expected)


def test_a_clip_is_masked_alike_in_any_batch() -> None:
    whole = TASK.draw(batch())
    second = batch()
    part = second.owner == 2
    alone = replace(
        second,
        study_ids=["s2"],
        clips=second.clips[part],
        owner=torch.zeros(5, dtype=torch.int64),
        token_ids=second.token_ids[2:3],
        report_group=second.report_group[2:3],
        patient_group=second.patient_group[2:3],
        keys=second.keys[part],
        clip_counts=second.clip_counts[2:3],
    )
    mine = second.owner[whole.clips] == 2
    drawn = TASK.draw(alone)
    assert torch.equal(drawn.clips + 4, whole.clips[mine])
    assert torch.equal(drawn.keep, whole.keep[mine])
    assert torch.equal(drawn.hide, whole.hide[mine])


def test_visible_and_hidden_places_make_up_the_clip() -> None:
    masking = TASK.draw(batch())
    assert masking.hide.shape == (7, 24)
    assert masking.keep.shape == (7, 8)
    both = torch.cat([masking.keep, masking.hide], dim=1).sort(dim=1).values
    assert torch.equal(both, torch.arange(32).expand(7, -1))


def test_masked_tubelets_are_the_pixels_at_the_hidden_places() -> None:
    studies = batch()
    masking = TASK.draw(studies)
    pixels = studies.clips.permute(0, 4, 1, 2, 3).float()
    hidden = TASK.masked_tubelets(pixels, masking)
    clip, place = int(masking.clips[3]), int(masking.hide[3, 5])
    t, y, x = place // 16, place // 4 % 4, place % 4
    tubelet = pixels[clip, 0, 2 * t : 2 * t + 2, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
    assert torch.equal(hidden[3, 5], tubelet.flatten())


@pytest.mark.parametrize("channels", [1, 3])
def test_tubelets_join_to_the_clip_they_were_cut_from(channels: int) -> None:
    clips = torch.randn(2, channels, 2, 6, 12, generator=torch.Generator().manual_seed(0))
    tubelets = cut_tubelets(clips, tubelet=(2, 3, 4))
    joined = join_tubelets(tubelets, tubelet=(2, 3, 4), grid=(1, 2, 3), channels=channels)
    assert torch.equal(joined, clips)
