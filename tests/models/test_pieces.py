"""The small pieces: tubelets, positions, masks, blocks, freezing."""

import math

import pytest
import torch
from timm.models.vision_transformer import Block as TimmBlock
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.blocks import Block, start_level, start_small
from cinelex.models.masking import tube_mask
from cinelex.models.positions import GridPositions, PositionKind
from cinelex.models.trunks import freeze_share
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
    assert grid_of(frames=8, size=64, tubelet=(1, 64, 64)) == (8, 1, 1)
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


def test_waves_have_the_base_of_the_transformer() -> None:
    positions = GridPositions(width=12, grid=(2, 3, 4))
    angles = torch.tensor([2.0, 2 / math.sqrt(10_000)])
    expected = torch.zeros(12)
    expected[4:8] = torch.cat([angles.sin(), angles.cos()])
    torch.testing.assert_close(positions.get_axis("row")[2], expected)


def test_learned_positions_start_small() -> None:
    torch.manual_seed(0)
    positions = GridPositions(width=999, grid=(2, 3, 4), kind="learned")
    for name in ("time", "row", "column"):
        assert positions.get_axis(name).std().item() == pytest.approx(0.02, rel=0.05)


def test_a_tube_hides_the_lowest_places_in_all_frames() -> None:
    noise = torch.tensor([[0.3, 0.1, 0.9, 0.2], [0.0, 0.7, 0.6, 0.5]])
    keep, hide = tube_mask(noise, grid=(3, 2, 2), ratio=0.5)
    assert hide.tolist() == [[1, 3, 5, 7, 9, 11], [0, 3, 4, 7, 8, 11]]
    assert keep.tolist() == [[0, 2, 4, 6, 8, 10], [1, 2, 5, 6, 9, 10]]


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.95, 1.0])
def test_hiding_nothing_or_everything_is_refused(ratio: float) -> None:
    with pytest.raises(UserError, match="one must be hidden and one must stay"):
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


def test_what_starts_small_has_a_spread_of_a_fiftieth_and_no_bias() -> None:
    torch.manual_seed(0)
    linear, words, convolution = nn.Linear(99, 99), nn.Embedding(99, 99), nn.Conv2d(9, 9, 9)
    start_small(nn.ModuleList([linear, words, convolution]))
    for weight in (linear.weight, words.weight, convolution.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    for bias in (linear.bias, convolution.bias):
        assert bias is not None
        assert not bias.any()


def test_what_starts_level_keeps_the_size_of_its_input() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(99, 99, 3, padding=1, padding_mode="circular")
    linear = nn.Linear(16, 999)
    start_level(nn.Sequential(convolution, nn.ReLU(), linear))
    # twice the power, for a ReLU halves it; a linear layer keeps its own
    power = convolution(torch.randn(8, 99, 16, 16)).square().mean().item()
    assert power == pytest.approx(2, rel=0.05)
    assert linear(torch.randn(999, 16)).square().mean().item() == pytest.approx(1, rel=0.05)
    assert convolution.bias is not None
    assert not convolution.bias.any()
    assert not linear.bias.any()


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


def test_shared_positions_get_the_same_gradient_however_many_threads_add_it_up() -> None:
    torch.manual_seed(0)
    vit = VideoViT(width=96, frames=2, size=32, channels=1, depth=0, tubelet=(2, 8, 8),
                   positions="learned", normalize_tokens=False)  # fmt: skip
    clips, weight = torch.randn(96, 1, 2, 32, 32), torch.randn(96, 8, 96)
    keep = torch.rand(96, 16).argsort(dim=1)[:, :8]
    threads = torch.get_num_threads()
    gradients: list[torch.Tensor] = []
    for count in (1, *[2] * 20):
        torch.set_num_threads(count)
        gradients += torch.autograd.grad(
            (vit(clips, keep) * weight).sum(), [vit.positions.get_axis("row")]
        )
    torch.set_num_threads(threads)
    assert all(torch.equal(gradients[0], other) for other in gradients)
