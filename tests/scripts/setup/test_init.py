"""What init writes: from tables of any kind, a config that trains as it is."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cinelex.config.load import load_config
from cinelex.scripts.init import main
from cinelex.scripts.scan import main as scan
from tests.tiny_run import succeed

STUDIES = 24
TINY = (
    *("steps=2", "validate_every=1", "checkpoint_every=2", "optimizer.warmup_steps=1", "threads=1"),
    *("data.size=32", "device=cpu", "evaluation.bootstrap=20", "evaluation.report_examples=1"),
    *("model.width=16", "model.dim=16", "model.video_encoder.options.base=8", "batch=8"),
)


def _frame(of: list[Path]) -> pd.DataFrame:
    """Return a table of some videos whose columns have no usual name but for the study."""
    return pd.DataFrame(
        {
            "case": [f"c{index // 2}" for index in range(STUDIES)],
            "where is it": [str(of[index % len(of)]) for index in range(STUDIES)],
            "said": [f"a movement of kind {index // 2} was seen" for index in range(STUDIES)],
            "subject": [f"p{index // 2}" for index in range(STUDIES)],
        }
    )


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return small videos, made once."""
    import av
    import numpy as np

    folder, made = tmp_path_factory.mktemp("videos"), []
    for index in range(STUDIES):
        path = folder / f"{index}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=8)
            stream.width = stream.height = 32
            for frame in range(6):
                level = np.full((32, 32, 3), 20 + 9 * index + 2 * frame, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(level, format="rgb24")))
            container.mux(stream.encode())
        made.append(path)
    return made


def _semicolons(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "cases.csv"
    frame.to_csv(path, sep=";", index=False, encoding="utf-16")
    return path


def _split(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "manifest.csv"
    names = ["training"] * 16 + ["dev"] * (STUDIES - 16)
    frame.rename(columns={"where is it": "Video", "said": "Report"}).assign(Set=names).to_csv(
        path, index=False, quoting=csv.QUOTE_ALL
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("write", [_semicolons, _split])
def test_what_is_written_trains_as_it_is(
    write: Callable[[pd.DataFrame, Path], Path], videos: list[Path], tmp_path: Path
) -> None:
    manifest, out = write(_frame(videos), tmp_path), tmp_path / "config.yaml"
    assert main([str(manifest), "--out", str(out)]) == 0
    config = load_config(out)
    assert config.data.columns.study == "case"
    assert config.data.columns.patient == "subject"
    assert config.data.max_videos == 2
    assert config.data.channels == 1
    assert config.evaluation.facts == "none"
    assert config.batch <= STUDIES // 2
    assert (config.data.split_by_patient is None) == (write is _split)
    paths = (f"folder={tmp_path / 'runs'}", f"data.cache={tmp_path / 'cache'}")
    assert "step 2/2" in succeed(["--base_config", str(out), *TINY, *paths])


def test_every_key_has_its_reason_and_nothing_of_a_report_is_said(
    videos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = _semicolons(_frame(videos), tmp_path), tmp_path / "config.yaml"
    assert main([str(manifest), "--out", str(out)]) == 0
    assert scan([str(manifest)]) == 0
    captured = capsys.readouterr()
    assert "movement of kind" not in captured.out + captured.err + out.read_text()
    lines = out.read_text().splitlines()
    for above, line in zip(lines, lines[1:], strict=False):
        if ":" in line and not line.strip().startswith("#") and not line.endswith(":"):
            assert above.strip().startswith("# "), line
    assert "read as semicolon-separated" in out.read_text()
    assert "no column with train and test: drawn by patient" in out.read_text()


def test_videos_with_texts_beside_them_get_a_manifest(videos: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in videos[:12]:
        shutil.copy(path, folder)
        (folder / f"{path.stem}.txt").write_text(f"what is seen in {path.stem}")
    out = tmp_path / "mine.yaml"
    assert main([str(folder), "--out", str(out)]) == 0
    config = load_config(out)
    assert config.data.manifest == tmp_path / "mine.manifest.csv"
    assert config.data.video_root == folder
    assert len(pd.read_csv(config.data.manifest)) == 12


def test_images_get_the_recipe_for_images(tmp_path: Path) -> None:
    from PIL import Image

    rows = []
    for index in range(12):
        Image.new("RGB", (16, 16), (index * 9, 0, 200)).save(tmp_path / f"{index}.png")
        rows.append({"image": f"{index}.png", "caption": f"number {index}", "split": "train"})
    pd.DataFrame(rows).to_csv(tmp_path / "pictures.csv", index=False)
    out = tmp_path / "config.yaml"
    assert main([str(tmp_path / "pictures.csv"), "--out", str(out)]) == 0
    config = load_config(out)
    assert (config.project, config.clipse.format, config.data.channels) == ("clipse", "manifest", 3)
    assert config.data.split_by_patient is not None


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("p7/a b.mp4,the text\n", "has no header"),
        ("study_id,report\ns1,text\n", "no column of paths"),
        ("study_id,video_path,report\ns1,a.mp4,text\n", "none of 1 files"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_line(
    rows: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(rows)
    assert main([str(manifest), "--out", str(tmp_path / "c.yaml")]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
    assert not (tmp_path / "c.yaml").exists()


def test_a_folder_of_dicom_files_is_sent_to_prepare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    assert main([str(tmp_path), "--out", str(tmp_path / "c.yaml")]) == 2
    assert "first cinelex prepare --dicom" in capsys.readouterr().err
