"""Commands around image-text runs: check a download, compare variants, agree over seeds."""

import csv
import json
import math
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cinelex.config.load import dump_config, load_config
from cinelex.core.csv_text import csv_of
from cinelex.core.errors import UserError
from cinelex.data.synthetic.scenes.scene_set import MadeUpSettings, make_image_set
from cinelex.doctor.report.seeds import write_seeds
from cinelex.projects.interface.results import HASHES, Group, Null, Results, Score
from cinelex.scripts import check_images, run_seeds
from cinelex.scripts.finished_runs import command, pairing
from cinelex.scripts.run_seeds import agreement, read_seeds
from tests.tiny_run import ROOT

IMAGES = 60


@pytest.fixture(scope="module")
def download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = MadeUpSettings(train=4, val=2, test=2)
    folder: Path = make_image_set(settings, tmp_path_factory.mktemp("sets"))
    return folder


def test_a_download_is_checked_and_what_is_missing_is_said(
    download: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["--format", "flickr8k", "--root", str(download)]
    assert check_images.main(command) == 1
    said = capfd.readouterr()
    assert "train: 4 images readable; the release has 6000" in said.out
    assert "missing: split train: 4 images are described, the release has 6000" in said.err
    assert check_images.main(["--format", "coco", "--root", str(download)]) == 2
    assert "captions_train2017.json: not there" in capfd.readouterr().err


def test_images_of_a_manifest_are_checked_too(
    download: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(next(download.rglob("*.jpg")), tmp_path / "yes.jpg")
    table = tmp_path / "pictures.csv"
    rows = ["id,image,text,split", "a,yes.jpg,one,train", "b,no.png,two,train"]
    table.write_text("\n".join(rows))
    command = ["--manifest", str(table), "--columns", "study=id", "video=image", "report=text"]
    assert check_images.main(command) == 1
    said = capfd.readouterr()
    assert "train: 1 images readable" in said.out
    assert "1 images: the file is not there" in said.err
    assert check_images.main([*command, "words=text"]) == 2


def write_run(folder: Path, name: str, seed: int, ranks: np.ndarray, **change: float) -> Path:
    run = folder / f"{name}-{seed}"
    (run / "predictions").mkdir(parents=True)
    config = load_config(ROOT / "config/clipse/baseline.yaml", [f"name={name}", f"seed={seed}"])
    (run / "config.yaml").write_text(dump_config(config))
    with (run / "predictions" / "retrieval.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("image_id", "image_to_text_rank", "text_to_image_ranks"))
        writer.writerows((f"i{n}", rank, f"{rank} 2") for n, rank in enumerate(ranks))
    values = {"recall_at_1": 0.2, "recall_at_5": 0.5, "mean_rank": 9.0, "ap_at_10": 0.3} | change
    groups = [
        Group(
            title=direction,
            note="",
            scores=[
                Score(name=f"retrieval.{direction}.{metric}", label=metric, value=value)
                for metric, value in values.items()
            ],
        )
        for direction in ("image_to_text", "text_to_image")
    ]
    content = {**Results(groups=groups).as_json(), "provenance": dict.fromkeys(HASHES, "d")}
    (run / "results.json").write_text(json.dumps(content))
    return run


@pytest.fixture
def groups(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Return three seeds of a variant with a quarter of its images first, and of a better one."""
    ranks = np.where(np.arange(IMAGES) % 4 == 0, 1, 3)
    better = np.where(np.arange(IMAGES) % 4 <= 1, 1, 3)
    return (
        [write_run(tmp_path, "first", seed, ranks) for seed in range(3)],
        [write_run(tmp_path, "second", seed, better, recall_at_1=0.5) for seed in range(3)],
    )


def test_a_better_variant_is_told_apart_with_its_interval(
    groups: tuple[list[Path], list[Path]],
) -> None:
    there, back = pairing.compare(*groups, by="recall_at_1")
    assert "25.00 % -> 50.00 %, difference +25.00" in there
    assert there.endswith("higher")
    assert "12.50 % -> 25.00 %, difference +12.50" in back
    same = pairing.compare(groups[0], groups[0], by="recall_at_5")
    assert all(line.endswith("not told apart") for line in same)


@pytest.mark.parametrize("by", ["loss", "ce", "loss/contrastive", "contrastive"])
def test_variants_are_not_ranked_by_a_loss(
    by: str, groups: tuple[list[Path], list[Path]], capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = ([str(run) for run in group] for group in groups)
    assert command.main(["compare", "--first", *first, "--second", *second, "--by", by]) == 2
    said = capfd.readouterr().err
    assert "variants are not ranked by a loss" in said
    assert said.count("\n") == 1


def test_metrics_that_all_moved_by_one_share_are_flagged(tmp_path: Path) -> None:
    ranks = np.ones(IMAGES, int)
    factor = 1.0408
    moved = {"recall_at_1": 0.2, "recall_at_5": 0.5, "mean_rank": 9.0, "ap_at_10": 0.3}
    first = [write_run(tmp_path, "first", seed, ranks) for seed in range(3)]
    scaled = {name: value * factor for name, value in moved.items()}
    second = [write_run(tmp_path, "second", seed, ranks, **scaled) for seed in range(3)]
    lines = pairing.compare(first, second, by="recall_at_1")
    assert sum("every metric moved by 4.08%" in line for line in lines) == 3


def test_runs_that_cannot_be_paired_are_refused(
    groups: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    first, second = groups
    with pytest.raises(UserError, match="same seeds"):
        pairing.compare(first, second[:2], by="recall_at_1")
    with pytest.raises(UserError, match="there are recall_at_1"):
        pairing.compare(first, second, by="bleu")
    few = write_run(tmp_path, "few", 0, np.ones(3, int))
    with pytest.raises(UserError, match="different samples"):
        pairing.compare(first[:1], [few], by="recall_at_1")
    with pytest.raises(UserError, match="no image-text results"):
        pairing.compare([tmp_path / "nowhere"], second, by="recall_at_1")


def test_two_seeds_claim_nothing(groups: tuple[list[Path], list[Path]]) -> None:
    lines = pairing.compare(groups[0][:2], groups[1][:2], by="recall_at_1")
    assert all("2 seeds of at least 3" in line for line in lines)


def test_seeds_agree_in_a_table_of_means(groups: tuple[list[Path], list[Path]]) -> None:
    rows = agreement([groups[0][0], groups[1][0]])
    assert rows[0] == {
        "group": "image_to_text",
        "score": "recall_at_1",
        "chance": None,
        "mean": pytest.approx(0.35),
        "sd": pytest.approx(0.3 / 2**0.5),
        "low": pytest.approx(0.35 - 0.15 * math.tan(0.475 * math.pi), rel=1e-4),
        "high": pytest.approx(0.35 + 0.15 * math.tan(0.475 * math.pi), rel=1e-4),
        "first-0": 0.2,
        "second-0": 0.5,
    }
    assert len(rows) == 2 * 4
    assert csv_of(rows).splitlines()[0] == "group,score,chance,mean,sd,low,high,first-0,second-0"


def test_seeds_say_no_more_than_they_know(tmp_path: Path) -> None:
    def write(name: str, *values: float | None) -> Path:
        run = tmp_path / name
        run.mkdir()
        chance = {"chance": Null(value=0.1)}
        scores = [
            Score(name=f"a.s{n}", label=f"s{n}", value=value, nulls=chance, unit="share")
            for n, value in enumerate(values)
        ]
        group = Group(title="a", note="", scores=scores)
        (run / "results.json").write_text(json.dumps(Results(groups=[group]).as_json()))
        return run

    runs = [write("one", 0.99, 1.0, None), write("two", 1.0, 1.0, 0.5)]
    bounded, alike, partial = agreement(runs)
    assert bounded["high"] == 1.0
    assert bounded["low"] == pytest.approx(0.995 - 0.005 * math.tan(0.475 * math.pi), rel=1e-4)
    assert bounded["chance"] == 0.1
    assert (alike["mean"], alike["sd"], alike["low"], alike["high"]) == (1.0, 0.0, None, None)
    assert (partial["mean"], partial["one"], partial["two"]) == (None, None, 0.5)
    page = write_seeds(tmp_path / "page.html", "a", [bounded, alike, partial], []).read_text()
    assert "over 2 runs" in page
    assert "Not answered: the runs keep no ranks beside nulls" in page


@pytest.mark.parametrize("text", ["0", "0,0", "a,b", "0,-1", ""])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="different whole numbers"):
        read_seeds(text)


def test_seeds_are_read_in_their_order() -> None:
    assert read_seeds("2,0,11") == [2, 0, 11]


def test_every_seed_is_started_as_an_installed_module_and_one_page_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = []

    def start(line: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        modules.append(line[line.index("cinelex.core.entry") + 1])
        seed = line[-1].removeprefix("seed=")
        write_run(tmp_path, "any", int(seed), np.ones(4, int)).rename(tmp_path / f"a-seed{seed}")
        return subprocess.CompletedProcess(line, 0)

    monkeypatch.setattr(subprocess, "run", start)
    line = ["--base_config", str(ROOT / "config/clipse/baseline.yaml"), "--seeds", "3,5"]
    assert run_seeds.main([*line, f"folder={tmp_path}", "name=a"]) == 0
    assert len(modules) == 2
    assert all(find_spec(module) is not None for module in modules)
    assert "Every score over the seeds" in (tmp_path / "a.seeds.html").read_text()
