"""What is left to be seen of blind samples, and the shortcuts that their nulls catch."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.metrics.retrieval import rank_both_ways, scores_per_query
from cinelex.projects.interface.results import Group, Results
from cinelex.projects.studies.blind import OF_IMAGES, OF_VIDEO, Blind
from cinelex.projects.studies.captions import Written, captioning_scores
from cinelex.projects.studies.floors import floor_rows
from cinelex.projects.studies.metadata import Metadata
from tests.doctor.records import HEALTHY
from tests.projects.studies.test_floors import THINGS, TOKENIZER, Shown
from tests.projects.studies.test_floors import Blind as BlindModel


def clips_of(kind: str, index: int = 0) -> np.ndarray:
    shown: np.ndarray = Blind(Shown(4, seed=0), kind, 0).sample(index, epoch=None).clips.numpy()
    return shown


@pytest.mark.parametrize("kind", sorted({*OF_VIDEO, *OF_IMAGES}))
def test_a_blind_sample_has_the_shape_of_what_it_hides(kind: str) -> None:
    assert clips_of(kind).shape == Shown(4, seed=0).pictures[0].shape


def test_each_null_hides_what_it_says() -> None:
    own = Shown(4, seed=0)
    assert not clips_of("blank_video").any()
    np.testing.assert_array_equal(clips_of("other_sample", 3), own.pictures[0])
    np.testing.assert_array_equal(
        np.sort(clips_of("permuted_pixels"), axis=None), np.sort(own.pictures[0], axis=None)
    )
    own.pictures = np.arange(6, dtype=np.uint8).reshape(1, 1, 6, 1, 1, 1).repeat(4, axis=0)
    frames: Mapping[str, list[int]] = {
        kind: Blind(own, kind, 0).sample(0, epoch=None).clips.flatten().tolist()
        for kind in OF_VIDEO
    }
    assert frames["reversed_video"] == [5, 4, 3, 2, 1, 0]
    assert frames["first_frame"] == [0] * 6
    assert sorted(frames["shuffled_frames"]) == [0, 1, 2, 3, 4, 5]
    assert frames["shuffled_frames"] != [0, 1, 2, 3, 4, 5]


def test_brightness_by_label_is_caught_by_the_metadata_null() -> None:
    train, test = Shown(120, seed=0), Shown(40, seed=1)
    for shown in (train, test):
        shown.pictures[:] = (20 + 30 * shown.things).reshape(-1, 1, 1, 1, 1, 1)
    nothing = [Metadata({"videos": np.ones(len(one))}) for one in (train, test)]
    texts = [(text,) for text in train.texts()]
    gallery = [np.array(TOKENIZER.encode(thing)) for thing in THINGS]
    found = floor_rows(
        BlindModel(),
        train,
        texts,
        test,
        gallery,
        metadata=(nothing[0], nothing[1]),
        batch=16,
        seed=0,
    )["metadata"]
    own = torch.from_numpy(test.things)
    hits = scores_per_query(rank_both_ways(found.study, found.text, own)["study_to_report"])
    assert hits["recall_at_1"].mean() > 0.9
    assert (train.things[list(found.nearest)] == test.things).mean() > 0.9


def test_texts_that_state_no_such_facts_are_not_scored_by_them() -> None:
    reports = [f"Lift the bar {times} times and breathe out." for times in range(20)]
    scores = captioning_scores(
        Written(reports[1:] + reports[:1]),
        reports,
        reports,
        reports,
        groups=np.arange(len(reports)),
        facts="coronary",
        resamples=2,
        seed=0,
    )
    names = {score.name for score in scores}
    assert "captioning.bleu4" in names
    assert not any("fact" in name or "lesion" in name or "segment" in name for name in names)


def test_a_captioner_that_knows_the_texts_alone_is_caught_by_the_blind_null() -> None:
    reports = [f"{percent} % stenosis of the mid LAD." for percent in range(20, 96, 5)]
    told = reports[1:] + reports[:1]
    scores = captioning_scores(
        Written(told, beside={"blank_video": told}),
        reports,
        reports,
        reports,
        groups=np.arange(len(reports)),
        facts="coronary",
        resamples=50,
        seed=0,
    )
    results = Results(groups=[Group(title="Captions", note="", scores=scores)])
    evidence: Evidence = replace(HEALTHY, results=results)
    assert any(finding.rule == "N7" for finding in diagnose(evidence))
