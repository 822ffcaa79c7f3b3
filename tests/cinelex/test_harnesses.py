"""Predictions of a run in the forms that public harnesses read."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cinelex.scripts.cardiobench import main
from cinelex.trained.cardiobench import TASKS, Finding
from cinelex.trained.mteb_encoder import MtebEncoder
from tests.tiny_run import FinishedRun

pytestmark = pytest.mark.slow
HEADERS = {
    "CAMUS/EF": "patient_id,EF_pred",
    "EchoNet-Pediatric/EF": "FileName,EF_pred,view",
    "EchoNet-LVH/IVSd": "HashedFileName,IVSd_pred",
    "CardiacNet/ASD": "unique_id,asd_pred,prob_asd",
    "HMCQU/stemi": "unique_id,stemi_pred,view",
    "TMED2/AS": "study_id,as_pred,prob_as",
    "segRWMA/rwma": "patient_id,prob_rwma,rwma_pred",
    "TMED2/view": "query_key,view_pred,prob_A2C,prob_A3C,prob_A4C,prob_PSAX,prob_PLAX,prob_Other",
}
"""Of the harness's example predictions; an index without a name is left out."""


def split_of(folder: Path, cache: Path, *columns: str) -> Path:
    """Write a harness's table of two studies, of which the first has two videos."""
    manifest = next((cache / "synthetic").glob("synthetic-*/manifest.csv"))
    with manifest.open(newline="") as stream:
        videos = [manifest.parent / row["video_path"] for row in csv.DictReader(stream)][:4]
    names = ("one", "one", "two", "three")
    splits = ("test", "test", "TEST", "train")
    lines = [",".join((*columns, "split", "path"))]
    lines += [
        ",".join((*[name] * len(columns), split, str(video)))
        for name, split, video in zip(names, splits, videos, strict=True)
    ]
    path = folder / "split.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("task", HEADERS)
def test_a_file_of_predictions_has_the_harness_s_columns(
    task: str, finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    asked = TASKS[task]
    split = split_of(tmp_path, study_cache, asked.id, *asked.extra)
    options = ["--task", task, "--split_file", str(split), "--out", str(tmp_path), "--name", "m"]
    assert main([str(finished_run.path), *options]) == 0
    with (tmp_path / task / "m.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert ",".join(header) == HEADERS[task]
    assert [row[0] for row in rows] == ["one", "two"]
    if isinstance(asked, Finding) and "prob" in asked.order:
        chances = [float(row[header.index(f"prob_{asked.name}")]) for row in rows]
        said = [int(row[header.index(f"{asked.name}_pred")]) for row in rows]
        assert said == [int(chance >= 0.5) for chance in chances]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"--task": "CAMUS/LVH"}, "there are CAMUS/EF"),
        ({"--split": "val"}, "no row is in split"),
        ({"--path_column": "film"}, "no column 'film'"),
        ({"--video_root": "/nowhere"}, ""),
    ],
)
def test_what_cannot_be_predicted_is_said_in_a_line(
    changed: dict[str, str],
    says: str,
    finished_run: FinishedRun,
    study_cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    split = split_of(tmp_path, study_cache, "patient_id")
    if "--video_root" in changed:
        split.write_text(split.read_text().replace("/", "").replace("mp4", "gone"))
        says = "3 of 3 videos are not below"
    given = {"--task": "CAMUS/EF", "--split_file": str(split), "--out": str(tmp_path), **changed}
    assert main([str(finished_run.path), *[word for pair in given.items() for word in pair]]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.fixture(scope="module")
def encoder(finished_run: FinishedRun) -> MtebEncoder:
    return MtebEncoder(str(finished_run.path))


def test_an_encoder_of_mteb_gives_unit_rows_of_texts_videos_and_pictures(
    encoder: MtebEncoder,
) -> None:
    texts = ["Normal coronary arteries.", "90% stenosis of the mid LAD."]
    rows = encoder.encode([{"text": texts[:1]}, {"text": texts[1:]}], task_metadata=None)
    np.testing.assert_allclose(rows, encoder.run.encode_reports(texts).numpy(), atol=1e-6)
    video = torch.randint(0, 255, (6, 3, 32, 32), dtype=torch.uint8)
    frames = video.permute(0, 2, 3, 1).numpy()
    [seen] = encoder.encode([{"video": [video]}])
    np.testing.assert_allclose(seen, encoder.run.encode_videos([[frames]])[0].numpy(), atol=1e-6)
    picture = Image.fromarray(frames[0])
    [still] = encoder.encode([{"image": [picture]}])
    expected = encoder.run.encode_videos([[frames[:1]]])[0].numpy()
    np.testing.assert_allclose(still, expected, atol=1e-6)
    [both] = encoder.encode([{"video": [video], "text": texts[:1]}])
    assert float(both @ (seen + rows[0])) == pytest.approx(float(np.linalg.norm(seen + rows[0])))


def test_similarities_are_cosines(encoder: MtebEncoder) -> None:
    one, other = torch.tensor([[3.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 2.0], [5.0, 5.0]])
    half = 0.5**0.5
    torch.testing.assert_close(
        encoder.similarity(one, other), torch.tensor([[0.0, half], [half, 1.0]])
    )
    torch.testing.assert_close(encoder.similarity_pairwise(one, other), torch.tensor([0.0, 1.0]))


def test_mteb_itself_takes_it(encoder: MtebEncoder) -> None:
    mteb = pytest.importorskip("mteb", reason="mteb is not installed: pip install mteb")
    assert isinstance(encoder, mteb.EncoderProtocol)
    assert encoder.mteb_model_meta.embed_dim == encoder.run.config.model.dim
