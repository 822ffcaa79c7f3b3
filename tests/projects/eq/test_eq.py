"""Semantic EQ from its file to its pictures: every mode of the shipped config at tiny size."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cinelex.data.eq.parameters import PARAMETERS
from cinelex.projects.interface.results import Results, Score
from tests.tiny_run import EQ_CONFIG, arguments, call, rows, succeed

pytestmark = pytest.mark.slow

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What made a small run in ``runs/eq``; a run mode can be put behind."""
    folder: Path = tmp_path_factory.mktemp("eq")
    more = ("name=eq", "steps=60", "batch=32", "validate_every=30", "checkpoint_every=60")
    told = arguments(folder / "runs", folder / "cache", *more, config=EQ_CONFIG)
    succeed(told)
    return told


@pytest.fixture(scope="module")
def run(command: list[str]) -> Path:
    """The folder of the run."""
    (folder,) = (item.removeprefix("folder=") for item in command if item.startswith("folder="))
    return Path(folder) / "eq"


def scores(run: Path, title: str) -> dict[str, Score]:
    """Return a group of the results by the labels of its scores."""
    results = Results.from_json(json.loads((run / "results.json").read_text()))
    (found,) = (group for group in results.groups if group.title == title)
    return {score.label: score for score in found.scores}


def test_every_loss_falls_below_what_the_means_cost(run: Path) -> None:
    steps = [row for row in rows(run) if row["kind"] == "step"]
    for term in ("parameters", "response", "descriptors"):
        assert steps[-1][f"loss/{term}"] < steps[-1][f"chance/{term}"]
    assert all(row["floor/descriptors"] < row["loss/descriptors"] for row in steps)
    assert all(0.9 < row["anchors"] <= 1.0 for row in steps)


def test_validation_stands_beside_chance(run: Path) -> None:
    last = [row for row in rows(run) if row["kind"] == "validation"][-1]
    assert last["pair/balanced_accuracy"] > last["pair/balanced_accuracy/chance"] == 0.5
    assert last["response_rms_db"] < last["response_rms_db/chance"]


def test_every_band_is_valid_by_construction_where_a_regression_is_not(run: Path) -> None:
    bands = scores(run, "Validity")
    assert len(bands) == 5
    for score in bands.values():
        assert score.value == 1.0
        regression = score.nulls["ridge_regression"].value
        assert regression is not None
        assert regression < 0.5


def test_the_morph_goes_one_way_and_every_number_has_a_null(run: Path) -> None:
    spearman = scores(run, "Morph")["Spearman of the share of the way with spectral tilt"].value
    assert spearman is not None
    assert spearman >= 0.99
    for title in ("Words", "Clusters", "Morph", "Rebuilt settings", "Validity"):
        for score in scores(run, title).values():
            assert score.nulls, score


def test_the_page_shows_tables_and_pictures(run: Path) -> None:
    page = (run / "report.html").read_text()
    for words in ("Rebuilt settings", "From warm to bright", "A setting for every word"):
        assert words in page
    assert page.count("data:image/png") == 3


def test_generate_prints_and_draws_a_setting_inside_its_ranges(
    command: list[str], run: Path
) -> None:
    said = succeed([*command, "--run_mode", "generate", "Warm"])
    assert "frequency 5 Hz" in said
    assert (run / "predictions" / "generate-warm.png").read_bytes().startswith(PNG)
    with (run / "predictions" / "generate-warm.csv").open(newline="") as stream:
        (setting,) = csv.DictReader(stream)
    for item in PARAMETERS:
        assert item.low <= float(setting[item.name]) <= item.high


def test_morph_prints_and_draws_every_step(command: list[str], run: Path) -> None:
    said = succeed([*command, "--run_mode", "morph", "warm", "bright", "--steps", "5"])
    assert "0 %     25 %     50 %     75 %    100 %" in said
    assert (run / "predictions" / "morph-warm-bright.png").read_bytes().startswith(PNG)
    with (run / "predictions" / "morph-warm-bright.csv").open(newline="") as stream:
        settings = list(csv.DictReader(stream))
    gains = [float(row["gain 1"]) for row in settings]
    assert len(gains) == 5
    assert gains[0] > gains[-1]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["generate", "wram"], "'wram' is not a learned descriptor; there are warm, bright"),
        (["generate"], "needs at least one word"),
        (["morph", "warm"], "needs two words, from and to, got 1"),
        (["morph", "warm", "bright", "--steps", "1"], "--steps must be at least 2"),
        (["train", "data.size=32"], "data.size: project eq does not read it"),
        (["train", "loss_weights.captioning=1"], "loss_weights.captioning: project eq"),
        (["train", "warm"], "expected key.path=value, got 'warm'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    command: list[str], run: Path, more: list[str], says: str
) -> None:
    mode, *rest = more
    anew = [item.replace("name=eq", "name=anew") if mode == "train" else item for item in command]
    code, _, complaints = call([*anew, "--run_mode", mode, *rest])
    assert code == 2
    assert says in complaints
    assert complaints.count("\n") == 1
    assert not (run.parent / "anew").exists(), "the name can be used once the mistake is mended"


def test_inference_reads_no_descriptor(command: list[str], run: Path, tmp_path: Path) -> None:
    succeed([*command, "--run_mode", "inference"])
    with (run / "predictions" / "inference.csv").open(newline="") as stream:
        expected = {row["id"]: row for row in csv.DictReader(stream)}
    (source,) = (run.parents[1] / "cache" / "synthetic").glob("*.csv")
    with source.open(newline="") as stream:
        nameless = [[cells[0], "", *cells[2:]] for cells in csv.reader(stream)]
    with (tmp_path / "new.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(row for row in nameless if row[0] in expected)
    new = f"eq.inference_file={tmp_path / 'new.csv'}"
    succeed([*command, new, "--run_mode", "inference"])
    with (run / "predictions" / "inference.csv").open(newline="") as stream:
        found = {row["id"]: row for row in csv.DictReader(stream)}
    assert found == expected


def test_embeddings_have_ids_splits_and_hashes(command: list[str], run: Path) -> None:
    succeed([*command, "--run_mode", "embed"])
    found = pq.read_table(run / "embeddings.parquet")
    assert set(found.column("split").to_pylist()) == {"train", "val", "test"}
    assert len(set(found.column("id").to_pylist())) == len(found)
    assert b"checkpoint" in found.schema.metadata
