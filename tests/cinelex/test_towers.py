"""Towers of an export, loaded by the libraries that made them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import BertConfig, BertModel

from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.timm_video import TimmVideo
from cinelex.models.video_vit import VideoViT
from cinelex.trained import towers

SMALL: dict[str, Any] = {"width": 8, "frames": 2, "size": 32, "depth": 1, "heads": 2}


def moved(module: nn.Module) -> nn.Module:
    """Return a module whose weights are others than those that its library makes."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return module.eval()


@pytest.mark.slow
def test_timm_loads_a_tower_that_was_trained_here_and_makes_the_same_of_it(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(timm.create_model("test_byobnet").state_dict(), path)
    ours = moved(TimmVideo(**SMALL, channels=3, backbone="test_byobnet", pretrained=str(path)))
    line = towers._write(ours.get_submodule("backbone"), tmp_path / "video")
    assert line is not None
    assert line.startswith("timm.create_model(")
    theirs: Any = timm.create_model(
        f"local-dir:{tmp_path / 'video'}", pretrained=True, num_classes=0
    )
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours.get_submodule("backbone")(images), theirs.eval()(images))


@pytest.mark.slow
def test_transformers_loads_a_tower_that_was_trained_here(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=40, intermediate_size=16, **sizes)).save_pretrained(
        tmp_path / "bert"
    )
    encoder = moved(HuggingFaceText(width=16, vocab=40, max_tokens=8, name=str(tmp_path / "bert")))
    model: Any = SimpleNamespace(text_encoder=encoder)
    told = towers.write_towers(model, tmp_path / "towers")
    assert told == {"text": 'transformers.BertModel.from_pretrained("towers/text")'}
    theirs = BertModel.from_pretrained(tmp_path / "towers" / "text", add_pooling_layer=False).eval()
    token_ids, present = torch.randint(3, 40, (2, 8)), torch.ones(2, 8, dtype=torch.bool)
    expected = theirs(input_ids=token_ids, attention_mask=present.long()).last_hidden_state
    torch.testing.assert_close(encoder(token_ids, present), expected)


def test_a_tower_that_was_built_here_is_no_other_librarys(tmp_path: Path) -> None:
    ours = VideoViT(**SMALL, channels=1, tubelet=(2, 16, 16))
    assert not ours.trunk
    assert towers.write_towers(SimpleNamespace(text_encoder=ours), tmp_path) == {}  # type: ignore[arg-type]
