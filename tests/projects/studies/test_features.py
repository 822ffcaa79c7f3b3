"""Frozen towers run once: equal to running them in every step, gone on with, never mixed up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cinelex.core.errors import UserError
from cinelex.data.features.store import FeatureWriter
from cinelex.data.studies.studies import Studies
from cinelex.data.video.frame_store import FrameStore
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies import features


def one_step(project: MultitaskProject, model: VideoText) -> dict[str, torch.Tensor]:
    """Return the terms of the third batch and the gradients that their sum leaves."""
    model.zero_grad()
    terms = project.terms(model.train(), next(project.batches(2)))
    torch.stack(list(terms.values())).sum().backward()
    grads = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return {**{name: term.detach() for name, term in terms.items()}, **grads}


def made(model: VideoText, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which the clips are counted that the video tower runs on."""
    counts: list[int] = []
    encoder = model.video_encoder
    assert isinstance(encoder, PretrainedVideo)
    run = encoder.features

    def counting(clips: torch.Tensor, keep: None = None) -> torch.Tensor:
        counts.append(len(clips))
        return run(clips, keep)

    monkeypatch.setattr(encoder, "features", counting)
    return counts


def test_kept_features_train_and_score_as_the_towers_do(
    opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, model = opened()
    slow, validated = one_step(project, model), project.validate(model.eval())
    assert project.ready(model) == ["video", "text"]
    counts = made(model, monkeypatch)
    fast = one_step(project, model)
    assert next(project.batches(2)).clips.numel() == 0
    assert fast.keys() == slow.keys()
    torch.testing.assert_close(fast, slow, atol=2e-5, rtol=1e-3)
    assert project.validate(model.eval()) == pytest.approx(validated, abs=1e-5)
    assert counts == []
    pixels = project.data.test.of_pixels().sample(0, epoch=None)
    assert pixels.features is None
    assert pixels.clips.shape[1:] == (2, 32, 32, 1)


def test_a_second_epoch_looks_nothing_up_and_reads_the_same(
    opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("data.sampling.draws=1", "data.synthetic.extra_view_rate=1")
    (seen, model), (fresh, _) = opened(*settings), opened(*settings)
    for project in (seen, fresh):
        project.ready(model)
    studies = range(len(project.data.train))
    for n in studies:
        seen.data.train.sample(n, epoch=0)
    expected = [fresh.data.train.sample(n, epoch=1) for n in studies]
    for one, looked_up in ((Studies, "__getitem__"), (FrameStore, "row"), (FrameStore, "stored")):
        monkeypatch.delattr(one, looked_up)
    for n in studies:
        again, values = vars(seen.data.train.sample(n, epoch=1)), vars(expected[n])
        assert again.pop("study_id") == values.pop("study_id")
        assert again["features"].any()
        torch.testing.assert_close(again, values, rtol=0, atol=0, equal_nan=True)


def test_what_was_made_before_the_end_is_not_made_again(
    opened: Callable[..., Any], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, model = opened("features.precision=bf16")
    monkeypatch.setattr("cinelex.data.features.store.CLOSED_AFTER_S", 0.0)
    monkeypatch.setattr(features, "CLIPS_AT_ONCE", 4)
    counts = made(model, monkeypatch)
    add = FeatureWriter.add

    def killed(self: FeatureWriter, key: str, rows: torch.Tensor) -> None:
        if sum(counts) > 8:
            raise KeyboardInterrupt
        add(self, key, rows)

    monkeypatch.setattr(FeatureWriter, "add", killed)
    with pytest.raises(KeyboardInterrupt):
        project.ready(model)
    monkeypatch.setattr(FeatureWriter, "add", add)
    counts.clear()
    project.ready(model)
    data = project.data
    splits = (data.train, data.validation, data.test)
    videos = sum(int(split.studies.video_counts.sum()) for split in splits if split)
    training = int(data.train.studies.video_counts.sum())
    compared = features.COMPARED
    assert sum(counts) == videos + training - 8 + compared  # of four frames, two cuts of two


def test_another_tower_has_its_own_and_the_same_one_finds_its_own(
    opened: Callable[..., Any], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, model = opened("data.sampling.draws=1")
    project.ready(model)
    before = {path.name for path in (cache / "features").iterdir()}
    other, same = opened("data.sampling.draws=1", "model.dim=8")
    counts = made(same, monkeypatch)
    other.ready(same)
    assert counts == [features.COMPARED]
    with torch.no_grad():
        next(same.video_encoder.get_submodule("backbone").parameters()).add_(0.1)
    other.ready(same)
    assert len({path.name for path in (cache / "features").iterdir()} - before) == 1


def test_features_that_the_tower_does_not_make_are_refused(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    project, model = opened(f"data.cache={tmp_path}")
    project.ready(model)
    model.video_encoder.get_submodule("backbone").register_forward_hook(lambda *_: _[2] * 2)
    with pytest.raises(UserError, match="gives other features than are stored here"):
        project.ready(model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("data.augmentation.crop=0.1", "data.augmentation.crop changes every clip"),
        ("features.clips_per_video=1", "a video gives 2 different clips; data.sampling.draws=1"),
        ("loss_weights.masked_modeling=0.1", "masked modelling fills in pixels"),
        ("parallel=fsdp", "parallel=ddp keeps its features"),
    ],
)
def test_what_stands_before_a_frozen_tower_is_named(
    opened: Callable[..., Any], change: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "masked" in change:
        # a backbone of images drops no tokens, so that nothing could be masked
        vit = "{name: videomae, options: {depth: 1, heads: 2, tubelet: [2, 16, 16]}}"
        project, model = opened(change, f"model.video_encoder={vit}")
    else:
        project, model = opened(change)
    assert project.ready(model) == ["text"]
    assert said in capsys.readouterr().out


def test_nothing_is_kept_of_a_tower_that_trains(opened: Callable[..., Any]) -> None:
    project, model = opened("features.keep=never")
    assert project.ready(model) == []
    project, model = opened()
    model.requires_grad_(True)
    assert project.ready(model) == []


def test_views_and_angles_reach_the_model_and_their_table_learns(
    opened: Callable[..., Any],
) -> None:
    found = one_step(*opened("model.views={count: 40, angles: true}"))
    assert found["view_embedding.views.weight"].any()
    assert not found["view_embedding.angles.weight"].any()  # no angle of these is known
    with pytest.raises(UserError, match=r"views occur in training and there is room for 1"):
        opened("model.views.count=1")


def test_attention_over_clips_is_taught_the_views_that_are_known(
    opened: Callable[..., Any],
) -> None:
    attention = "model.aggregator={name: view_attention, options: {views: 40}}"
    project, model = opened(attention, "loss_weights.views=1")
    batch = next(project.batches(2))
    unknown = replace(batch, views=torch.zeros_like(batch.views))
    for shown, learns in ((batch, True), (unknown, False)):
        model.zero_grad()
        loss = project.terms(model, shown)["views"]
        loss.backward()
        assert bool(model.aggregator.view.weight.grad.any()) is learns
        assert (project.nulls(shown)["views"].chance > 0) is learns
    with pytest.raises(UserError, match=r"model\.aggregator\.options\.views=\d+$"):
        opened(
            "loss_weights.views=1", "model.aggregator={name: view_attention, options: {views: 1}}"
        )


def test_studies_lose_views_in_training_alone(opened: Callable[..., Any]) -> None:
    project, _ = opened("data.view_dropout=0.9", "data.balance_views=true")
    counts = [
        len(project.data.train.sample(n, epoch=0).clips) for n in range(len(project.data.train))
    ]
    whole = [
        len(project.data.train.sample(n, epoch=None).clips) for n in range(len(project.data.train))
    ]
    assert whole == project.data.train.studies.video_counts.tolist()
    assert 0 < sum(counts) < sum(whole)
