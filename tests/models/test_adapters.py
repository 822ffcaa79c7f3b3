"""Adapters begin at nothing, train alone, and merge into what they stand beside."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import BertConfig, BertModel

from cinelex.core.errors import UserError
from cinelex.models.adapters import Adapters, add_adapters, merge_adapters
from cinelex.models.foreign import plain_state
from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.timm_video import TimmVideo
from cinelex.models.transformers_vision import TransformersVision
from cinelex.models.trunks import ADAPTER, part_of, pretrained_names, unchanging_names
from cinelex.models.video_vit import VideoViT

PRISM = str(Path(__file__).parent / "tiny_transformers")
RANK = Adapters(rank=2, alpha=4)


def _timm(folder: Path, backbone: str) -> TimmVideo:
    path = folder / "weights.safetensors"
    save_file(timm.create_model(backbone, **_sized(backbone)).state_dict(), path)
    return TimmVideo(
        width=8,
        frames=2,
        size=32,
        channels=3,
        backbone=backbone,
        pretrained=str(path),
        depth=1,
        heads=2,
    )


def _sized(backbone: str) -> dict[str, Any]:
    return {"img_size": 32} if backbone == "test_vit" else {}


def _bert(folder: Path) -> HuggingFaceText:
    sizes: dict[str, Any] = {
        "vocab_size": 11,
        "hidden_size": 12,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    }
    BertModel(BertConfig(**sizes)).save_pretrained(folder)
    return HuggingFaceText(width=8, vocab=11, max_tokens=8, name=str(folder))


VIDEO: dict[str, Any] = {
    "a transformer of timm": lambda folder: _timm(folder, "test_vit"),
    "a convolutional net of timm": lambda folder: _timm(folder, "test_efficientnet"),
    "a model of transformers": lambda _: TransformersVision(
        width=8, frames=4, size=16, channels=3, pretrained=PRISM
    ),
    "an own encoder": lambda _: VideoViT(
        width=8, frames=2, size=32, channels=3, depth=1, heads=2, tubelet=(2, 16, 16)
    ),
}
TEXT: dict[str, Any] = {
    "a model of transformers": _bert,
    "an own encoder": lambda _: TextTransformer(width=8, vocab=11, max_tokens=8, depth=1, heads=2),
}


def seen(tower: Any) -> torch.Tensor:
    """Return what a tower makes of the same input each time."""
    torch.manual_seed(1)
    if isinstance(tower, HuggingFaceText | TextTransformer):
        token_ids = torch.randint(3, 11, (2, 6))
        return tower(token_ids, torch.ones(2, 6, dtype=torch.bool))
    frames, _, size = (g * t for g, t in zip(tower.grid, tower.tubelet, strict=True))
    return tower(torch.rand(2, 3, frames, size, size))


@pytest.mark.parametrize(
    ("name", "make"), [*VIDEO.items(), *((f"text: {n}", m) for n, m in TEXT.items())]
)
def test_adapters_train_alone_and_merge_to_the_same_outputs(
    name: str, make: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    tower = make(tmp_path)
    names = set(tower.state_dict())
    before = seen(tower)
    layers = add_adapters(tower, RANK)
    assert layers
    torch.testing.assert_close(seen(tower), before, atol=0, rtol=0)
    part = {id(weight) for weight in part_of(tower).parameters()}
    trained = {n for n, w in tower.named_parameters() if id(w) in part and w.requires_grad}
    assert trained
    assert all(ADAPTER in n for n in trained)
    assert len(trained) == 2 * len(layers)
    optimizer = torch.optim.AdamW([w for w in tower.parameters() if w.requires_grad], lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        seen(tower).square().sum().backward()
        assert all(w.grad is not None for w in tower.parameters() if w.requires_grad)
        optimizer.step()
    adapted = seen(tower)
    assert (adapted - before).abs().max() > 1e-3
    assert merge_adapters(tower) == len(layers)
    torch.testing.assert_close(seen(tower), adapted, atol=1e-5, rtol=1e-5)
    assert set(tower.state_dict()) == names


def test_a_pattern_chooses_the_layers_and_one_that_fits_none_is_refused() -> None:
    tower = VideoViT(width=8, frames=2, size=8, channels=3, depth=2, heads=2, tubelet=(2, 4, 4))
    chosen = Adapters(rank=1, alpha=1, targets=r".*query_key_value")
    assert add_adapters(tower, chosen) == ["blocks.0.query_key_value", "blocks.1.query_key_value"]
    for targets, message in [("nothing", "no layer matches"), ("(", "regular expression")]:
        with pytest.raises(UserError, match=message):
            add_adapters(tower, Adapters(rank=1, alpha=1, targets=targets))


def test_adapters_are_fresh_and_the_rest_of_the_trunk_is_unchanging(tmp_path: Path) -> None:
    model = nn.Module()
    model.text_encoder = _bert(tmp_path)
    everything = set(model.state_dict())
    assert unchanging_names(model) == set()
    add_adapters(model.text_encoder, RANK)
    assert all(ADAPTER not in name for name in pretrained_names(model))
    fresh = set(model.state_dict()) - unchanging_names(model)
    assert all(ADAPTER in n or n.startswith("text_encoder.project") for n in fresh)
    assert everything


def test_a_merged_backbone_is_read_by_its_own_library(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tower = _timm(tmp_path, "test_efficientnet")
    add_adapters(tower, RANK)
    for name, weight in tower.named_parameters():
        if ADAPTER in name:
            nn.init.normal_(weight, std=0.1)
    merge_adapters(tower)
    theirs = timm.create_model("test_efficientnet", num_classes=0).eval()
    missing = theirs.load_state_dict(plain_state(tower.backbone), strict=False)
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    assert missing.unexpected_keys == []
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(theirs(images), tower.backbone(images))
