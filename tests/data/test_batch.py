"""Samples to a batch."""

from dataclasses import fields

import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.data.batch import Batch, Sample, collate


def sample(study_id: str, clips: int, token_ids: list[int], *, size: int = 4) -> Sample:
    return Sample(
        study_id=study_id,
        clips=torch.full((clips, 2, size, size, 1), clips, dtype=torch.uint8),
        token_ids=torch.tensor(token_ids),
        report_group=len(token_ids),
        patient_group=clips,
        keys=torch.arange(clips),
    )


def test_clips_are_packed_and_words_padded() -> None:
    batch = collate([sample("a", 2, [1, 5, 2]), sample("b", 1, [1, 2])], pad_id=0)
    assert batch.study_ids == ["a", "b"]
    assert batch.studies == 2
    assert batch.clips.shape == (3, 2, 4, 4, 1)
    assert batch.clips[:, 0, 0, 0, 0].tolist() == [2, 2, 1]
    assert batch.owner.tolist() == [0, 0, 1]
    assert batch.token_ids.tolist() == [[1, 5, 2], [1, 2, 0]]
    assert batch.report_group.tolist() == [3, 2]
    assert batch.patient_group.tolist() == [2, 1]
    assert batch.keys.tolist() == [0, 1, 0]
    assert batch.keys.dtype == torch.int64


def test_a_batch_moves_whole() -> None:
    batch = collate([sample("a", 1, [1, 5, 2]), sample("b", 2, [1, 2])], pad_id=0)
    moved = batch.to(torch.device("meta"))
    assert (moved.study_ids, moved.clip_counts) == (["a", "b"], (1, 2))
    assert moved.clips.device.type == moved.patient_group.device.type == "meta"
    again = batch.to(torch.device("cpu"))
    for field in fields(Batch):
        assert str(getattr(again, field.name)) == str(getattr(batch, field.name)), field.name


def test_studies_without_a_clip_are_refused() -> None:
    with pytest.raises(UserError, match="1 studies have no clip"):
        collate([sample("a", 0, [1, 2]), sample("b", 1, [1, 2])], pad_id=0)


def test_clips_of_two_shapes_are_refused() -> None:
    with pytest.raises(UserError, match="differ in shape"):
        collate([sample("a", 1, [1, 2]), sample("b", 1, [1, 2], size=6)], pad_id=0)


def test_no_study_is_no_batch() -> None:
    with pytest.raises(UserError, match="at least one study"):
        collate([], pad_id=0)


def test_parts_are_the_studies_in_order_with_their_clips_and_padding() -> None:
    batch = collate(
        [sample("a", 2, [1, 5, 2]), sample("b", 1, [1, 2]), sample("c", 3, [1])], pad_id=0
    )
    first, second = batch.split(2)
    assert (first.study_ids, second.study_ids) == (["a"], ["b", "c"])
    assert second.owner.tolist() == [0, 1, 1, 1]
    assert second.clips[:, 0, 0, 0, 0].tolist() == [1, 3, 3, 3]
    assert second.token_ids.tolist() == [[1, 2, 0], [1, 0, 0]]
    assert torch.equal(torch.cat([first.keys, second.keys]), batch.keys)
    assert second.report_group.tolist() == [2, 1]
    assert second.patient_group.tolist() == [1, 3]
    assert second.clip_counts == (1, 3)


def test_reports_in_groups_stand_by_length_and_are_as_wide_as_their_longest() -> None:
    lengths = {"a": 3, "b": 1, "c": 4, "d": 2, "e": 1}
    samples = [sample(name, 1, [1] * length) for name, length in lengths.items()]
    batch = collate(samples, pad_id=0, groups=2)
    assert batch.study_ids == ["b", "e", "d", "a", "c"]
    assert batch.text_buckets == [(2, 1), (3, 4)]
    assert [part.text_buckets for part in batch.split(2)] == [[(1, 1), (1, 1)], [(1, 2), (2, 4)]]
    assert collate(samples, pad_id=0).text_buckets == []


def test_more_parts_than_studies_are_refused() -> None:
    with pytest.raises(UserError, match="2 studies .* into 3 micro-batches"):
        collate([sample("a", 1, [1]), sample("b", 1, [1])], pad_id=0).split(3)
