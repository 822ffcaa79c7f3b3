"""Video encoders: what every entry of the table must do."""

import copy
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torchvision.models.video import MViT_V2_S_Weights, R3D_18_Weights
from transformers import VideoMAEImageProcessor

from cinelex.core.errors import UserError
from cinelex.models import VIDEO_ENCODERS
from cinelex.models.contracts import PretrainedVideo, VideoEncoder
from cinelex.models.normalize import Normalize

PRISM = str(Path(__file__).parent / "tiny_transformers")
OPEN_CLIP = str(Path(__file__).parent / "tiny_open_clip" / "image")
SMALLEST: dict[str, dict[str, Any]] = {
    "conv": {"frames": 1, "size": 16, "base": 8},
    "conv_net": {"frames": 2, "size": 32, "base": 8},
    "open_clip": {"frames": 1, "size": 32, "name": OPEN_CLIP},
    "vit": {"frames": 4, "size": 8, "depth": 1, "heads": 2, "tubelet": (2, 4, 4)},
    "timm": {
        "frames": 3,
        "size": 32,
        "depth": 1,
        "heads": 2,
        "backbone": "test_byobnet",
    },
    "mvit_v2_s": {"frames": 2, "size": 32},
    "r3d_18": {"frames": 8, "size": 32},
    "transformers": {"frames": 4, "size": 16, "pretrained": PRISM},
    "videomae": {"frames": 4, "size": 8, "depth": 1, "heads": 2, "tubelet": (2, 4, 4)},
}


@pytest.fixture(params=sorted(VIDEO_ENCODERS), scope="module")
def named(request: pytest.FixtureRequest) -> tuple[str, VideoEncoder]:
    torch.manual_seed(0)
    name = request.param
    return name, VIDEO_ENCODERS[name](width=24, channels=3, **SMALLEST[name])


@pytest.fixture
def encoder(named: tuple[str, VideoEncoder]) -> VideoEncoder:
    named[1].zero_grad()
    return named[1].train()


@pytest.fixture
def clips(named: tuple[str, VideoEncoder]) -> torch.Tensor:
    options = SMALLEST[named[0]]
    frames, size = options["frames"], options["size"]
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, frames, size, size, generator=generator)


def test_every_entry_has_its_smallest_options() -> None:
    assert SMALLEST.keys() == VIDEO_ENCODERS.keys()


def test_tokens_fill_the_grid(encoder: VideoEncoder, clips: torch.Tensor) -> None:
    tokens = encoder(clips)
    places = encoder.grid[0] * encoder.grid[1] * encoder.grid[2]
    assert tokens.shape == (2, places, encoder.width)
    assert encoder.width == 24
    assert [g * c for g, c in zip(encoder.grid, encoder.tubelet, strict=True)] == [*clips.shape[2:]]


def test_every_parameter_gets_a_gradient(encoder: VideoEncoder, clips: torch.Tensor) -> None:
    tokens = encoder(clips)
    (tokens * torch.randn_like(tokens)).sum().backward()
    missing = [
        name
        for name, value in encoder.named_parameters()
        if value.grad is None or not value.grad.any()
    ]
    assert missing == []


def test_a_clip_does_not_depend_on_the_others_even_in_training(
    encoder: VideoEncoder, clips: torch.Tensor
) -> None:
    with torch.no_grad():
        torch.testing.assert_close(encoder(clips)[:1], encoder(clips[:1]), atol=2e-5, rtol=1e-4)


def test_nothing_is_drawn_in_training(encoder: VideoEncoder, clips: torch.Tensor) -> None:
    with torch.no_grad():
        assert torch.equal(encoder(clips), encoder(clips))
        trained = encoder(clips)
        torch.testing.assert_close(trained, encoder.eval()(clips))


def test_the_state_survives_a_file(
    named: tuple[str, VideoEncoder], encoder: VideoEncoder, clips: torch.Tensor, tmp_path: Path
) -> None:
    save_file(encoder.state_dict(), tmp_path / "state.safetensors")
    torch.manual_seed(7)
    other = VIDEO_ENCODERS[named[0]](width=24, channels=3, **SMALLEST[named[0]])
    other.load_state_dict(load_file(tmp_path / "state.safetensors"))
    with torch.no_grad():
        assert torch.equal(encoder.eval()(clips), other.eval()(clips))


def test_dropped_tokens_are_never_seen_and_come_in_the_order_asked_for(
    encoder: VideoEncoder, clips: torch.Tensor
) -> None:
    keep = torch.tensor([[0, 5, 2], [7, 1, 4]])
    if not encoder.drops_tokens:
        with pytest.raises(AssertionError):
            encoder(clips, keep)
        return
    loud = clips.clone()
    for clip, seen in enumerate(keep.tolist()):
        for place in set(range(8)) - set(seen):
            t, y, x = place // 4, place // 2 % 2, place % 2
            loud[clip, :, 2 * t : 2 * t + 2, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4] = 1e6
    with torch.no_grad():
        tokens = encoder(clips, keep)
        assert tokens.shape == (2, 3, 24)
        torch.testing.assert_close(tokens, encoder(loud, keep), atol=0, rtol=0)
        order = torch.tensor([2, 0, 1])
        torch.testing.assert_close(tokens[:, order], encoder(clips, keep[:, order]))


def test_keeping_everything_is_dropping_nothing(encoder: VideoEncoder, clips: torch.Tensor) -> None:
    if encoder.drops_tokens:
        everything = torch.arange(8).expand(2, 8)
        with torch.no_grad():
            torch.testing.assert_close(encoder(clips, everything), encoder(clips))


def _preprocessed(name: str, encoder: Any, levels: torch.Tensor) -> torch.Tensor:
    """Return what the library that the weights come from would make of one frame of a clip."""
    if name == "timm":
        settings = resolve_model_data_config(encoder.backbone)
        return create_transform(**settings).transforms[-1](levels[0, :, 0])
    if name == "open_clip":
        _, _, preprocess = open_clip.create_model_and_transforms(
            f"local-dir:{OPEN_CLIP}", load_weights=False
        )
        return preprocess.transforms[-1](levels[0, :, 0])
    if name == "videomae":
        processor = VideoMAEImageProcessor.from_pretrained(encoder.source)
        frames = (levels[0] * 255).round().byte().transpose(0, 1)
        there = processor(list(frames), return_tensors="pt", do_resize=False, do_center_crop=False)
        return there["pixel_values"][0, 0]
    weights = {"mvit_v2_s": MViT_V2_S_Weights, "r3d_18": R3D_18_Weights}[name].KINETICS400_V1
    # resizing and cropping change nothing of a clip that has one colour
    whole = weights.transforms()(levels[0].transpose(0, 1))
    return whole[:, 0, : levels.shape[-2], : levels.shape[-1]]


@pytest.mark.parametrize("name", ["timm", "mvit_v2_s", "r3d_18", "open_clip", "videomae"])
def test_a_foreign_encoder_is_fed_what_its_own_library_feeds_it(name: str, tmp_path: Path) -> None:
    options = SMALLEST[name]
    colour = torch.tensor([20, 140, 250]).view(1, 3, 1, 1, 1) / 255
    levels = colour.expand(1, 3, options["frames"], options["size"], options["size"])
    encoder: Any = VIDEO_ENCODERS[name](width=24, channels=3, **options)
    if name == "videomae":
        encoder.videomae.save_pretrained(tmp_path)
        VideoMAEImageProcessor(
            image_mean=[0.1, 0.5, 0.7], image_std=[0.3, 0.2, 0.4]
        ).save_pretrained(tmp_path)
        encoder = VIDEO_ENCODERS[name](width=24, channels=3, **options, pretrained=str(tmp_path))
        encoder.source = str(tmp_path)
    expected = _preprocessed(name, encoder, levels)
    torch.testing.assert_close(encoder.normalize(levels)[0, :, 0], expected, atol=1e-6, rtol=1e-6)


def test_levels_and_standardised_pixels_give_the_same_tokens(
    encoder: VideoEncoder, clips: torch.Tensor
) -> None:
    levels, expecting = clips.sigmoid(), copy.deepcopy(encoder)
    expecting.normalize.expect(mean=0.45, std=0.225)
    with torch.no_grad():
        torch.testing.assert_close(
            expecting((levels - 0.45) / 0.225), encoder(levels), atol=1e-4, rtol=1e-4
        )
        assert not torch.equal(expecting(levels), encoder(levels))


@pytest.mark.parametrize("name", ["vit", "conv", "conv_net"])
def test_an_own_encoder_does_not_touch_standardised_pixels(name: str) -> None:
    encoder = VIDEO_ENCODERS[name](width=24, channels=3, **SMALLEST[name])
    encoder.normalize.expect(mean=0.45, std=0.225)
    clips = torch.randn(1, 3, 1, 4, 4)
    assert encoder.normalize(clips) is clips


def test_pretrained_weights_that_do_not_say_how_pixels_were_normalised_are_refused(
    tmp_path: Path,
) -> None:
    encoder: Any = VIDEO_ENCODERS["videomae"](width=24, channels=3, **SMALLEST["videomae"])
    encoder.videomae.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"preprocessor_config\.json"):
        VIDEO_ENCODERS["videomae"](
            width=24, channels=3, **SMALLEST["videomae"], pretrained=str(tmp_path)
        )


def test_gray_is_shown_to_all_channels_where_the_statistics_are_the_projects_own() -> None:
    encoder = VIDEO_ENCODERS["r3d_18"](width=8, channels=1, **SMALLEST["r3d_18"])
    encoder.normalize = Normalize((0.45,) * 3, (0.225,) * 3)
    encoder.normalize.expect(mean=0.45, std=0.225)
    assert encoder(torch.randn(1, 1, 8, 32, 32)).isfinite().all()


def test_gray_clips_are_read_too(named: tuple[str, VideoEncoder]) -> None:
    name = named[0]
    options = SMALLEST[name]
    gray = VIDEO_ENCODERS[name](width=24, channels=1, **options)
    clips = torch.randn(1, 1, options["frames"], options["size"], options["size"])
    with torch.no_grad():
        assert gray(clips).isfinite().all()


def test_what_the_trunk_made_of_a_clip_gives_its_tokens_again(
    encoder: VideoEncoder, clips: torch.Tensor
) -> None:
    if not isinstance(encoder, PretrainedVideo):
        assert encoder.trunk == ""
        return
    fresh = {name for name, _ in encoder.named_parameters() if not name.startswith(encoder.trunk)}
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(name in fresh)
    features = encoder.features(clips)
    encoder.requires_grad_(True)
    assert not features.requires_grad  # nothing but the trunk has a say in it
    torch.testing.assert_close(encoder.tokens(features), encoder(clips), atol=2e-5, rtol=1e-4)
