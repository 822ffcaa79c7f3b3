"""Image-text training from its shipped configs, tiny: it runs, goes on, and says its numbers."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.models.latent_teacher import follow
from cinelex.models.video_text import VideoText
from cinelex.projects import open_project
from cinelex.projects.clipse.project import ClipseProject
from tests.tiny_run import ROOT, call, rows, succeed

pytestmark = pytest.mark.slow

CONFIGS = ROOT / "config" / "clipse"
TINY = (
    *("device=cpu", "threads=1", "steps=6", "batch=8", "optimizer.warmup_steps=1"),
    *("log_every=1", "validate_every=3", "checkpoint_every=3", "probe_every=0"),
    *("keep_checkpoints=2", "evaluation.bootstrap=20", "evaluation.batch=7"),
    *("clipse.synthetic.train=24", "clipse.synthetic.val=4", "clipse.synthetic.test=6"),
    *("clipse.synthetic.stock_scenes=2", "data.size=16", "model.width=16", "model.dim=16"),
    *("model.video_encoder.options.base=8", "tokenizer.vocab_size=520"),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("images")
    return folder


def command(config: str, folder: Path, cache: Path, *more: str) -> list[str]:
    items = (*TINY, f"folder={folder}", f"data.cache={cache}", "name=run", *more)
    chosen = {item.split("=")[0]: item for item in items}
    return ["--base_config", str(CONFIGS / f"{config}.yaml"), *chosen.values()]


def opened(config: str, folder: Path, cache: Path, *more: str) -> ClipseProject:
    line = command(config, folder, cache, *more)
    project = open_project(load_config(line[1], line[2:]), folder / "run")
    assert isinstance(project, ClipseProject)
    return project


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """Return a run with a teacher that follows and a band that remembers."""
    folder: Path = tmp_path_factory.mktemp("runs")
    succeed(command("sanw_adaptive", folder, cache, *EMA))
    return folder / "run"


EMA = ("clipse.affinity.source=ema", "clipse.affinity.alpha=0.5", "clipse.affinity.momentum=0.8")


def results(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "results.json").read_text())
    return found


def test_a_run_leaves_results_with_chance_a_row_an_image_and_its_entry(finished: Path) -> None:
    report = results(finished)["retrieval"]
    assert report["gallery"] == {"image_to_text": 30, "text_to_image": 6}
    for direction, count in (("image_to_text", 30), ("text_to_image", 6)):
        entry = report[direction]["recall_at_1"]
        assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1
        assert entry["chance"] == pytest.approx(5 / 30 if count == 30 else 1 / 6)
    with (finished / "predictions" / "retrieval.csv").open() as stream:
        table = list(csv.DictReader(stream))
    first = sum(row["image_to_text_rank"] == "1" for row in table) / 6
    assert first == pytest.approx(report["image_to_text"]["recall_at_1"]["value"])
    with sqlite3.connect(finished.parent / "registry.sqlite") as registry:
        (row,) = registry.execute("select name, project, checkpoint from runs").fetchall()
    assert row[:2] == ("run", "clipse")
    assert row[2]
    page = (finished / "report.html").read_text()
    assert "Image to text" in page
    assert "each image counts as its own patient" in page
    assert "chance" in page


def test_every_step_records_plain_infonce_and_how_many_negatives_count(finished: Path) -> None:
    steps = [row for row in rows(finished) if row["kind"] == "step"]
    assert len(steps) == 6
    for row in steps:
        assert row["chance/ce"] == pytest.approx(2.0794415)
        assert row["floor/ce"] < row["loss/ce"]
        assert row["weight/ce"] == 0.0
        assert row["loss"] == pytest.approx(row["loss/contrastive"])
        assert 0 < row["weights/effective_share"] <= 1 + 1e-6
        assert 0 <= row["weights/coverage"] <= 1
        assert row["weights/band_low"] <= row["weights/band_high"]
    (validation, *_) = [row for row in rows(finished) if row["kind"] == "validation"]
    assert validation["retrieval/text_to_image/recall_at_1/chance"] == pytest.approx(1 / 4)


def test_a_run_that_goes_on_ends_as_one_that_did_not_stop(
    finished: Path, cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-6")
    succeed(command("sanw_adaptive", tmp_path, cache, *EMA))
    end = Path("checkpoints") / "step-6" / "model.safetensors"
    assert (tmp_path / "run" / end).read_bytes() == (finished / end).read_bytes()
    assert rows(tmp_path / "run") == rows(finished)


def test_embeddings_and_nearest_captions_are_written(
    finished: Path, cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    for mode in ("embed", "inference"):
        succeed([*command("sanw_adaptive", tmp_path, cache, *EMA), "--run_mode", mode])
    table = pq.read_table(tmp_path / "run" / "embeddings.parquet")
    kinds = table.column("kind").to_pylist()
    assert (kinds.count("image"), kinds.count("caption")) == (34, 170)
    numbers = table.column("caption").to_pylist()
    assert sorted(set(numbers)) == [-1, 0, 1, 2, 3, 4]
    with (tmp_path / "run" / "predictions" / "inference.csv").open() as stream:
        described = list(csv.DictReader(stream))
    assert len(described) == 6
    assert all(row["nearest_1_caption"] for row in described)


def test_the_teacher_follows_by_its_momentum(cache: Path, tmp_path: Path) -> None:
    project = opened("sanw_adaptive", tmp_path, cache, *EMA)
    model = project.model()
    teacher = model.companions["teacher"]
    assert isinstance(teacher, VideoText)
    assert not any(weight.requires_grad for weight in teacher.parameters())
    before = {name: value.clone() for name, value in teacher.named_parameters()}
    with torch.no_grad():
        for weight in model.study_head.parameters():
            weight.add_(1.0)
    follow(teacher, model, momentum=0.8)
    for name, value in teacher.named_parameters():
        moved = 0.2 if name.startswith("study_head") else 0.0
        torch.testing.assert_close(value, before[name] + moved)


def test_a_trained_run_can_teach_another_of_the_same_words(
    finished: Path, cache: Path, tmp_path: Path
) -> None:
    line = ("clipse.affinity.source=run", f"clipse.affinity.run={finished}")
    project = opened("sanw_debias", tmp_path, cache, *line, "clipse.affinity.alpha=0.3")
    model = project.model()
    teacher = model.companions["teacher"]
    assert isinstance(teacher, VideoText)
    batch = next(project.batches(0))
    outputs = project.outputs(model.train(), batch)
    assert outputs.taught.study is not None
    assert not outputs.taught.study.requires_grad
    assert not teacher.training
    with pytest.raises(UserError, match="no trained run"):
        opened(
            "sanw_debias", tmp_path, cache, line[0], f"clipse.affinity.run={tmp_path / 'none'}"
        ).model()


def test_labels_know_the_false_negatives_of_the_made_up_set(cache: Path, tmp_path: Path) -> None:
    project = opened("label_aware", tmp_path, cache, "batch=24")
    batch = next(project.batches(0))
    same = batch.report_group[:, None] == batch.report_group[None]
    labels = {image.id: image.label for image in project.data.train.images}
    truth = [[labels[a] == labels[b] for b in batch.study_ids] for a in batch.study_ids]
    assert same.tolist() == truth
    assert int(same.sum()) > 24


def test_captions_are_drawn_anew_each_epoch_and_held_out_ones_are_fixed(
    cache: Path, tmp_path: Path
) -> None:
    train = opened("baseline", tmp_path, cache).data.train
    drawn = {tuple(train.sample(0, epoch=epoch).token_ids.tolist()) for epoch in range(30)}
    assert drawn == {tuple(token_ids.tolist()) for token_ids in train.captions[0]}
    fixed = train.sample(0, epoch=None).token_ids
    assert fixed.tolist() == train.captions[0][0].tolist()


@pytest.mark.parametrize("sampler", ["topical", "stratified", "class_balanced"])
def test_every_sampler_is_a_config_away(sampler: str, cache: Path, tmp_path: Path) -> None:
    project = opened("baseline", tmp_path, cache, f"clipse.sampler={sampler}", "clipse.topics=3")
    _, batch = project.data.sampler.batch_at(1)
    assert len(set(batch)) == 8


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data.frames=2", "frames"),
        ("clipse.format=coco", "clipse.root: coco is read from"),
        ("clipse.format=manifest", "data.manifest"),
        ("clipse.negatives.name=debais", "did you mean debias"),
        ("clipse.affinity.source=run", "run belongs to source: run"),
        ("clipse.affinity.source=tfidf", "infonce does not read tfidf"),
        ("clipse.negatives.name=debias", "set labels, tfidf"),
        ("contrastive.name=siglip", "does not read it"),
        ("loss_weights.captioning=1.0", "no such term"),
    ],
)
def test_a_wrong_config_is_one_line(
    override: str, expected: str, cache: Path, tmp_path: Path
) -> None:
    code, _, complaint = call(command("baseline", tmp_path, cache, override))
    assert code == 2
    assert expected in complaint
    assert complaint.count("\n") == 1


def test_stills_of_a_manifest_train_with_one_caption_each(
    cache: Path, tmp_path: Path, real_data: Path
) -> None:
    project = opened(
        "baseline",
        tmp_path,
        cache,
        "clipse.format=manifest",
        "clipse.label_column=primary_muscle",
        f"data.manifest={real_data / 'everkinetic' / 'manifest.csv'}",
        "data.stored_frames=2",
        "tokenizer.vocab_size=600",
    )
    data = project.data
    assert (len(data.train), len(data.test)) == (189, 80)
    assert len(set(data.train.labels.tolist())) < 40
    terms = project.terms(project.model(), next(project.batches(0)))
    assert torch.isfinite(terms["ce"])


@pytest.mark.parametrize("mode", ["generate", "morph"])
def test_a_run_mode_of_another_project_gets_the_list(
    mode: str, cache: Path, tmp_path: Path
) -> None:
    line = [*command("baseline", tmp_path, cache), "--run_mode", mode]
    code, _, complaint = call([*line, "warm"])
    assert code == 2
    assert complaint == (
        f"error: project clipse has no --run_mode {mode}; there are train, ingest, estimate, "
        "profile, features, validate, repeat, doctor, inference, embed, merge\n"
    )
