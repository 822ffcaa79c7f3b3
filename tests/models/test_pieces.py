"""The small pieces: tubelets, positions, masks, blocks, freezing, foreign weights."""

import pickle
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import Block as TimmBlock
from torch import nn
from transformers import VideoMAEModel

from cinelex.core.errors import UserError
from cinelex.models.blocks import Block
from cinelex.models.foreign import (
    FixedBatchNorm,
    load_all,
    make_repeatable,
    read_weights,
)
from cinelex.models.freeze import freeze_share
from cinelex.models.masking import tube_mask
from cinelex.models.positions import GridPositions, PositionKind
from cinelex.models.timm_video import TimmVideo
from cinelex.models.torchvision_video import R3D18
from cinelex.models.transformers_video import VideoMAE
from cinelex.models.tubelets import cut_tubelets, grid_of, take_positions
from cinelex.models.video_vit import ConvStem, VideoViT


def test_a_tubelet_holds_the_pixels_of_its_own_place() -> None:
    clips = torch.arange(2 * 3 * 4 * 4 * 6).float().view(2, 3, 4, 4, 6)
    tubelets = cut_tubelets(clips, tubelet=(2, 2, 3))
    assert tubelets.shape == (2, 8, 2 * 2 * 3 * 3)
    t, y, x = 1, 0, 1
    own = clips[1, :, 2:4, 0:2, 3:6].permute(1, 2, 3, 0).flatten()
    assert torch.equal(tubelets[1, t * 4 + y * 2 + x], own)


def test_places_are_taken_clip_by_clip() -> None:
    rows = torch.arange(6.0).view(2, 3, 1)
    taken = take_positions(rows, torch.tensor([[2, 0], [1, 1]]))
    assert taken.flatten().tolist() == [2, 0, 4, 4]


def test_a_tubelet_that_does_not_divide_the_clip_is_refused() -> None:
    assert grid_of(frames=8, size=64, tubelet=(4, 8, 16)) == (2, 8, 4)
    with pytest.raises(UserError, match=r"tubelet \[3, 8, 8\] does not divide clips of 8 frames"):
        grid_of(frames=8, size=64, tubelet=(3, 8, 8))


@pytest.mark.parametrize("kind", ["sincos", "learned"])
@pytest.mark.parametrize("width", [6, 16, 24])
def test_no_two_places_share_a_position(kind: PositionKind, width: int) -> None:
    torch.manual_seed(0)
    places = GridPositions(width=width, grid=(2, 3, 4), kind=kind)()
    assert places.shape == (24, width)
    distance = torch.cdist(places, places) + torch.eye(24)
    assert distance.min() > 1e-3


def test_positions_add_up_over_the_axes() -> None:
    positions = GridPositions(width=12, grid=(2, 3, 4), kind="learned")
    axes = [positions.get_axis(name) for name in ("time", "row", "column")]
    expected = axes[0][1] + axes[1][2] + axes[2][3]
    torch.testing.assert_close(positions()[1 * 12 + 2 * 4 + 3], expected)


def test_a_tube_hides_the_lowest_places_in_all_frames() -> None:
    noise = torch.tensor([[0.3, 0.1, 0.9, 0.2], [0.0, 0.7, 0.6, 0.5]])
    keep, hide = tube_mask(noise, grid=(3, 2, 2), ratio=0.5)
    assert hide.tolist() == [[1, 3, 5, 7, 9, 11], [0, 3, 4, 7, 8, 11]]
    assert keep.tolist() == [[0, 2, 4, 6, 8, 10], [1, 2, 5, 6, 9, 10]]


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.95, 1.0])
def test_hiding_nothing_or_everything_is_refused(ratio: float) -> None:
    with pytest.raises(UserError, match="at least one must be hidden and one must stay"):
        tube_mask(torch.rand(2, 4), grid=(3, 2, 2), ratio=ratio)


def test_a_block_equals_that_of_timm() -> None:
    torch.manual_seed(0)
    ours, theirs = Block(width=12, heads=3, mlp_ratio=2.0), TimmBlock(12, 3, 2.0, qkv_bias=True)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        nn.init.normal_(mine, std=0.3)
        other.data.copy_(mine.data)
    tokens, attention_mask = torch.randn(2, 5, 12), torch.arange(5) < torch.tensor([[5], [3]])
    torch.testing.assert_close(ours(tokens), theirs(tokens))
    masked = theirs(tokens, attn_mask=attention_mask[:, None, None])
    torch.testing.assert_close(ours(tokens, attention_mask), masked)


@pytest.mark.parametrize("stem", ["linear", "conv"])
def test_a_hidden_tubelet_never_reaches_the_visible_tokens(stem: str) -> None:
    torch.manual_seed(0)
    vit = VideoViT(
        width=12,
        frames=2,
        size=16,
        channels=1,
        depth=1,
        heads=2,
        tubelet=(2, 8, 8),
        stem="conv" if stem == "conv" else "linear",
    )
    clips = torch.randn(1, 1, 2, 16, 16)
    loud = clips.clone()
    loud[..., 8:, 8:] = torch.inf
    keep = torch.tensor([[0, 1, 2]])
    assert torch.equal(vit(clips, keep), vit(loud, keep))


def test_a_convolutional_stem_never_looks_past_its_tubelet() -> None:
    torch.manual_seed(0)
    stem = ConvStem(width=12, channels=3, tubelet=(2, 8, 8))
    tubelets = torch.randn(2, 3, 2 * 8 * 8 * 3, requires_grad=True)
    stem(tubelets)[1, 2].sum().backward()
    assert tubelets.grad is not None
    touched = tubelets.grad.abs().amax(dim=-1) > 0
    assert touched.nonzero().tolist() == [[1, 2]]
    assert (tubelets.grad[1, 2] != 0).all()


def stack() -> nn.Sequential:
    return nn.Sequential(nn.Linear(9, 1), nn.Linear(3, 2, bias=False), nn.Linear(1, 2))


@pytest.mark.parametrize(
    ("share", "actual"),
    [(0.0, 0.0), (0.4, 9 / 20), (0.45, 9 / 20), (0.5, 0.5), (0.79, 0.5), (0.8, 0.8), (1.0, 1.0)],
)
def test_the_frozen_share_counts_parameters_from_the_input_side(
    share: float, actual: float
) -> None:
    module = stack()
    expected = 0.0 if share == 0.4 else actual
    assert freeze_share(module, share) == pytest.approx(expected)
    frozen = [not parameter.requires_grad for parameter in module.parameters()]
    numbers = [p.numel() for p in module.parameters() if not p.requires_grad]
    assert sum(numbers) == pytest.approx(20 * expected)
    assert frozen == sorted(frozen, reverse=True)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match="between 0 and 1, got 80"):
        freeze_share(stack(), 80.0)


def test_freezing_a_share_of_the_vit_starts_at_its_stem() -> None:
    vit = VideoViT(width=12, frames=2, size=8, channels=1, depth=2, heads=2, tubelet=(2, 4, 4))
    freeze_share(vit, 0.5)
    first, *_, last = vit.parameters()
    assert not first.requires_grad
    assert last.requires_grad


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


def test_weights_must_fit_tensor_by_tensor() -> None:
    module = nn.Linear(2, 3)
    good = dict(module.state_dict())
    for wrong, message in [
        ({"weight": good["weight"]}, "lacks bias"),
        ({**good, "gate": good["bias"]}, "has gate, which the model lacks"),
        ({**good, "bias": torch.ones(4)}, r"bias is \[4\] in file, but \[3\]"),
    ]:
        with pytest.raises(UserError, match=message):
            load_all(module, wrong, source="file")


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
    gray = TimmVideo(**SMALL, channels=1, backbone="test_byobnet", pretrained=path).eval()
    same = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(gray.backbone(images[:, :1]), ours.backbone(same))
    with pytest.raises(UserError, match="test_vit"):
        TimmVideo(**SMALL, channels=3, backbone="test_vit", pretrained=path)


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
    same = VideoMAE(width=12, frames=4, size=8, channels=1, pretrained=str(tmp_path))
    clips = torch.randn(2, 1, 4, 8, 8)
    torch.testing.assert_close(same(clips), source(clips))
    larger = VideoMAE(width=20, frames=6, size=16, channels=1, pretrained=str(tmp_path))
    assert larger.grid == (3, 4, 4)
    assert larger(torch.randn(1, 1, 6, 16, 16)).shape == (1, 48, 20)
