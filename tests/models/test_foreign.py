"""Weights and layers of other projects."""

import pickle
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import VideoMAEImageProcessor, VideoMAEModel

from cinelex.core.errors import UserError
from cinelex.models.foreign import (
    FixedBatchNorm,
    make_repeatable,
    read_weights,
)
from cinelex.models.timm_video import TimmVideo
from cinelex.models.torchvision_video import R3D18
from cinelex.models.transformers_video import VideoMAE


def test_batch_norm_keeps_its_trained_statistics_or_becomes_group_norm() -> None:
    norm = nn.BatchNorm2d(4)
    norm(torch.randn(8, 4, 3, 3) * 3 + 1)
    maps = torch.randn(2, 4, 3, 3)
    expected = norm.eval()(maps)
    trained = nn.Sequential(norm, nn.Dropout(0.5))
    make_repeatable(trained, trained=True)
    assert isinstance(trained[0], FixedBatchNorm)
    torch.testing.assert_close(trained.train()(maps), expected)
    blank = nn.Sequential(nn.BatchNorm2d(4))
    make_repeatable(blank, trained=False)
    assert isinstance(blank[0], nn.GroupNorm)


def test_weights_are_read_from_safetensors_and_from_torch_files(tmp_path: Path) -> None:
    weights = {"one": torch.randn(2, 3)}
    save_file(weights, tmp_path / "a.safetensors")
    torch.save({"state_dict": weights}, tmp_path / "b.pth")
    for name in ("a.safetensors", "b.pth"):
        assert torch.equal(read_weights(tmp_path / name)["one"], weights["one"])


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_nothing_but_tensors_is_unpickled(tmp_path: Path) -> None:
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps(Trap()))
    torch.save({"state_dict": Trap()}, tmp_path / "zip.pth")
    torch.save({"epoch": 3}, tmp_path / "numbers.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"12")
    for name in ("pickle.pth", "zip.pth", "numbers.pth", "cut.safetensors"):
        with pytest.raises(UserError, match="safetensors"):
            read_weights(tmp_path / name)
    with pytest.raises(UserError, match="place the file there"):
        read_weights(tmp_path / "absent.safetensors")


def test_a_torch_file_from_before_zip_archives_is_read(tmp_path: Path) -> None:
    weights = {"module.one": torch.randn(2, 3)}
    torch.save(weights, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_weights(tmp_path / "old.pth")["one"], weights["module.one"])


SMALL: dict[str, Any] = {"width": 8, "frames": 2, "size": 32, "depth": 1, "heads": 2}


def test_a_timm_backbone_takes_its_weights_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = timm.create_model("test_byobnet").eval()
    save_file(source.state_dict(), tmp_path / "weights.safetensors")
    path = str(tmp_path / "weights.safetensors")
    ours = TimmVideo(**SMALL, channels=3, backbone="test_byobnet", pretrained=path).eval()
    images = torch.randn(2, 3, 32, 32)
    source.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    features = source(images)
    torch.testing.assert_close(ours.backbone(images), features)
    with pytest.raises(UserError, match="test_vit"):
        TimmVideo(**SMALL, channels=3, backbone="test_vit", pretrained=path)


def test_a_timm_backbone_sees_gray_in_all_three_channels() -> None:
    gray = TimmVideo(**SMALL, channels=1, backbone="test_byobnet").eval()
    clips = torch.rand(2, 1, 2, 32, 32)
    torch.testing.assert_close(gray(clips), gray(clips.expand(-1, 3, -1, -1, -1)))


def test_timm_transformers_take_the_size_of_the_clips() -> None:
    clips = torch.randn(1, 3, 2, 32, 32)
    assert TimmVideo(**SMALL, channels=3, backbone="test_vit")(clips).shape == (1, 2, 8)


def test_an_unknown_backbone_gets_the_nearest_names() -> None:
    with pytest.raises(UserError, match="'resnt18'; the nearest names are .*'resnet18'"):
        TimmVideo(**SMALL, channels=3, backbone="resnt18")


def test_weights_that_cannot_be_downloaded_name_the_file_to_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"test_byobnet.*model\.safetensors"):
        TimmVideo(**SMALL, channels=3, backbone="test_byobnet", pretrained=True)

    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(UserError, match=r"download https://.*r3d_18.* and place it at"):
        R3D18(width=8, frames=8, size=32, channels=3, pretrained=True)


def test_videomae_is_read_from_a_folder_for_clips_of_another_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {
        "width": 12,
        "channels": 1,
        "depth": 1,
        "heads": 2,
        "tubelet": (2, 4, 4),
    }
    source = VideoMAE(frames=4, size=8, **options)
    assert isinstance(source.videomae, VideoMAEModel)
    source.videomae.save_pretrained(tmp_path)
    VideoMAEImageProcessor(image_mean=[0.45], image_std=[0.225]).save_pretrained(tmp_path)
    same = VideoMAE(width=12, frames=4, size=8, channels=1, pretrained=str(tmp_path))
    clips = torch.randn(2, 1, 4, 8, 8)
    torch.testing.assert_close(same(clips), source(clips))
    larger = VideoMAE(width=20, frames=6, size=16, channels=1, pretrained=str(tmp_path))
    assert larger.grid == (3, 4, 4)
    assert larger(torch.randn(1, 1, 6, 16, 16)).shape == (1, 48, 20)
    with pytest.raises(UserError, match="data.channels=1"):
        VideoMAE(width=12, frames=4, size=8, channels=3, pretrained=str(tmp_path))
