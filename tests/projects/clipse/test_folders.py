"""Where the images of a set are looked for."""

from pathlib import Path

import pytest

from cinelex.config.load import load_config
from cinelex.projects.clipse.data import open_clipse_data

BASELINE = Path(__file__).parents[3] / "config" / "clipse" / "baseline.yaml"
SMALL = [f"clipse.synthetic.{split}={count}" for split, count in (("train", 4), ("val", 2))]


def test_images_below_the_working_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sizes = ["data.size=16", "tokenizer.vocab_size=520", "batch=2", "clipse.synthetic.test=2"]
    config = load_config(BASELINE, ["data.cache=cache", *SMALL, *sizes])
    assert len(open_clipse_data(config, tmp_path / "run").train) == 4
