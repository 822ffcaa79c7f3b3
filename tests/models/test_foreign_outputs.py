"""Checkpoints that their own library wrote give what that library makes of them; merged alike."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models.video import r3d_18
from transformers import VideoMAEConfig, VideoMAEForPreTraining

from cinelex.models.adapters import Adapters, add_adapters, merge_adapters
from cinelex.models.timm_video import TimmVideo
from cinelex.models.torchvision_video import R3D18
from cinelex.models.transformers_video import VideoMAE
from cinelex.models.transformers_vision import TransformersVision
from tests.models.test_transformers_vision import KINDS, standardised, written


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_videomae_as_it_was_pretrained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder: dict[str, Any] = {
        "image_size": 16,
        "patch_size": 8,
        "num_frames": 4,
        "tubelet_size": 2,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    }
    decoder: dict[str, Any] = {
        "decoder_hidden_size": 16,
        "decoder_num_hidden_layers": 1,
        "decoder_num_attention_heads": 2,
        "decoder_intermediate_size": 24,
    }
    theirs = VideoMAEForPreTraining(VideoMAEConfig(**encoder, **decoder)).eval()
    path = written(theirs, tmp_path)
    ours = VideoMAE(width=16, frames=4, size=16, channels=3, pretrained=path).eval()
    clips = torch.rand(2, 3, 4, 16, 16)
    seen = theirs.videomae(standardised(clips).transpose(1, 2)).last_hidden_state
    close(ours(clips), seen)


@torch.no_grad()
def test_r3d_18_with_its_trained_statistics(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs: Any = r3d_18()
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm3d):
            layer.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    theirs.eval()
    path = tmp_path / "r3d_18.pth"
    torch.save(theirs.state_dict(), path)
    ours = R3D18(width=8, frames=8, size=32, channels=3, pretrained=str(path)).eval()
    clips = torch.rand(2, 3, 8, 32, 32)
    maps = ours.normalize(clips)
    for stage in (theirs.stem, theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4):
        maps = stage(maps)
    close(ours.features(clips), maps.flatten(2).transpose(1, 2))


@torch.no_grad()
def test_a_perception_encoder_of_timm(tmp_path: Path) -> None:
    torch.manual_seed(0)
    name, path = "vit_pe_core_tiny_patch16_384", tmp_path / "pe.safetensors"
    theirs: Any = timm.create_model(name, img_size=32).eval()
    save_file(theirs.state_dict(), path)
    sizes: dict[str, Any] = {"width": 8, "frames": 2, "size": 32, "channels": 3}
    ours: Any = TimmVideo(**sizes, backbone=name, pretrained=str(path), depth=0, heads=2).eval()
    assert ours.arrival.unused == ["head.bias", "head.weight"]
    frames = torch.rand(2, 3, 32, 32)
    close(
        ours.backbone(frames), theirs.forward_head(theirs.forward_features(frames), pre_logits=True)
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_adapters_of_every_kind_merge_to_the_same_tokens(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"width": 8, "frames": 4, "size": 16, "channels": 3}
    tower = TransformersVision(**sizes, pretrained=written(KINDS[kind](), tmp_path)).eval()
    clips = torch.rand(2, 3, 4, 16, 16)
    with torch.no_grad():
        before = tower(clips)
        layers = add_adapters(tower, Adapters(rank=2, alpha=4))
        for name, weight in tower.named_parameters():
            if "lora_B" in name:  # begin at 0
                weight.normal_(0, 0.3)
        adapted = tower(clips)
        assert (adapted - before).abs().max() > 1e-3
        assert merge_adapters(tower) == len(layers)
        torch.testing.assert_close(tower(clips), adapted, atol=1e-5, rtol=1e-5)
