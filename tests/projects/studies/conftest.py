"""A tiny multitask project whose pretrained towers are frozen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

from cinelex.config.load import load_config
from cinelex.models.video_text import VideoText
from cinelex.projects import open_project
from cinelex.projects.multitask.project import MultitaskProject
from tests.tiny_run import MULTITASK

SIZES = {"train": 4, "val": 2, "test": 2}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def text_tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=1024, intermediate_size=16, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def opened(cache: Path, text_tower: Path, tmp_path: Path) -> Callable[..., Any]:
    def of(*more: str) -> tuple[MultitaskProject, VideoText]:
        given = [
            *("model.width=32", "model.dim=16", "model.caption_decoder.options.depth=1"),
            *("data.size=32", "data.frames=2", "data.stored_frames=4", "batch=4"),
            *(f"data.synthetic.{split}={count}" for split, count in SIZES.items()),
            *("loss_weights.masked_modeling=0", "loss_weights.facts=0", "model.heads=linear"),
            "model.video_encoder={name: timm, options: {backbone: test_byobnet, depth: 1}}",
            f"model.text_encoder={{name: huggingface, options: {{name: {text_tower}}}}}",
            *("data.augmentation.shift=0", f"data.cache={cache}"),
            *more,
        ]
        config = load_config(
            MULTITASK, list({one.partition("=")[0]: one for one in given}.values())
        )
        project = open_project(config, tmp_path / "run")
        assert isinstance(project, MultitaskProject)
        model = project.model()
        for tower in (model.video_encoder, model.text_encoder):
            tower.get_submodule(tower.trunk).requires_grad_(False)
        return project, model

    return of
