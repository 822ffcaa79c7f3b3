"""What a run keeps of a tower builds it again where its source is gone."""

import json
from pathlib import Path
from shutil import rmtree
from typing import Any

import open_clip
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.video import mvit_v2_s, r3d_18
from transformers import VideoMAEConfig, VideoMAEImageProcessor, VideoMAEModel

from cinelex.models import TEXT_ENCODERS, VIDEO_ENCODERS

TINY = Path(__file__).parent / "tiny_open_clip" / "image"


def _weights(model: nn.Module, folder: Path) -> str:
    path = folder / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    return str(path)


def _timm(folder: Path) -> dict[str, Any]:
    path = _weights(timm.create_model("test_byobnet"), folder)
    sizes = {"frames": 2, "size": 32, "depth": 1, "heads": 2}
    return {**sizes, "backbone": "test_byobnet", "pretrained": path}


def _mvit(folder: Path) -> dict[str, Any]:
    return {"frames": 2, "size": 32, "pretrained": _weights(mvit_v2_s(), folder)}


def _r3d(folder: Path) -> dict[str, Any]:
    return {"frames": 8, "size": 32, "pretrained": _weights(r3d_18(), folder)}


def _videomae(folder: Path) -> dict[str, Any]:
    config: Any = VideoMAEConfig(
        image_size=8,
        patch_size=4,
        num_frames=4,
        tubelet_size=2,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        layer_norm_eps=1e-3,
        hidden_act="relu",
    )
    VideoMAEModel(config).save_pretrained(folder)
    means, deviations = [0.1, 0.5, 0.7], [0.3, 0.2, 0.4]
    VideoMAEImageProcessor(image_mean=means, image_std=deviations).save_pretrained(folder)
    return {"frames": 6, "size": 16, "pretrained": str(folder)}


def _open_clip(folder: Path) -> dict[str, Any]:
    described = json.loads((TINY / "open_clip_config.json").read_text())
    described["preprocess_cfg"] = {"mean": [0.1, 0.5, 0.7], "std": [0.3, 0.2, 0.4]}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    Path(_weights(model, folder)).rename(folder / "open_clip_model.safetensors")
    return {"frames": 1, "size": 32, "name": str(folder), "pretrained": True}


SOURCES = {
    "timm": _timm,
    "mvit_v2_s": _mvit,
    "r3d_18": _r3d,
    "videomae": _videomae,
    "open_clip": _open_clip,
}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_video_tower_is_built_without_its_source(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = tmp_path / "source"
    source.mkdir()
    options = SOURCES[name](source) | {"width": 24, "channels": 3}
    first = VIDEO_ENCODERS[name](**options).eval()
    assert first.kept is not None
    kept = json.loads(json.dumps(first.kept))
    rmtree(source)
    again = VIDEO_ENCODERS[name](**options, kept=kept).eval()
    again.load_state_dict(first.state_dict())
    clips = torch.rand(1, 3, options["frames"], options["size"], options["size"])
    with torch.no_grad():
        torch.testing.assert_close(again(clips), first(clips), atol=0, rtol=0)


def test_the_text_tower_of_open_clip_is_built_without_its_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    named = {"name": _open_clip(source)["name"], "pretrained": True}
    sizes: dict[str, Any] = {"width": 24, "vocab": 11, "max_tokens": 8}
    first = TEXT_ENCODERS["open_clip"](**sizes, **named).eval()
    kept = json.loads(json.dumps(first.kept))
    rmtree(source)
    again = TEXT_ENCODERS["open_clip"](**sizes, **named, kept=kept).eval()
    again.load_state_dict(first.state_dict())
    token_ids = torch.tensor([[1, 4, 6, 10, 0, 0, 0, 0]])
    with torch.no_grad():
        ours, theirs = (one(token_ids, token_ids != 0) for one in (again, first))
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0)
