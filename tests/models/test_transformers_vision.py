"""Vision models of transformers, each from a tiny checkpoint that transformers itself wrote."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.transformers_vision import TransformersVision

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
WORDS: dict[str, Any] = {
    **SIZES,
    "vocab_size": 50,
    "max_position_embeddings": 12,
    "bos_token_id": 0,
    "eos_token_id": 49,
}
PATCH: dict[str, Any] = {**SIZES, "image_size": 16, "patch_size": 8}
MEAN, STD = (0.1, 0.5, 0.7), (0.3, 0.2, 0.4)


def _clip() -> Any:
    return transformers.CLIPModel(
        transformers.CLIPConfig(text_config=WORDS, vision_config=PATCH, projection_dim=8)
    )


def _siglip() -> Any:
    config = transformers.SiglipConfig(text_config=WORDS, vision_config=PATCH)
    return transformers.SiglipModel(config)


def _siglip2() -> Any:
    vision = {**SIZES, "num_patches": 4, "patch_size": 8}
    config = transformers.Siglip2Config(text_config=WORDS, vision_config=vision)
    return transformers.Siglip2Model(config)


def _vit() -> Any:
    return transformers.ViTForImageClassification(transformers.ViTConfig(**PATCH))


def _dino() -> Any:
    return transformers.Dinov2Model(transformers.Dinov2Config(**PATCH))


def _jepa() -> Any:
    return transformers.VJEPA2Model(
        transformers.VJEPA2Config(
            patch_size=8,
            crop_size=16,
            frames_per_clip=4,
            hidden_size=24,
            num_attention_heads=2,
            num_hidden_layers=2,
            pred_hidden_size=12,
            pred_num_attention_heads=2,
            pred_num_hidden_layers=1,
        )
    )


def _prism() -> Any:
    return transformers.VideoPrismVisionModel(
        transformers.VideoPrismVisionConfig(
            image_size=16,
            num_frames=4,
            tubelet_size=[1, 8, 8],
            hidden_size=16,
            num_attention_heads=2,
            intermediate_size=32,
            num_spatial_layers=1,
            num_temporal_layers=1,
        )
    )


KINDS = {
    "clip": _clip,
    "siglip": _siglip,
    "siglip2": _siglip2,
    "vit": _vit,
    "dinov2": _dino,
    "vjepa2": _jepa,
    "videoprism": _prism,
}


def written(model: Any, folder: Path) -> str:
    model.save_pretrained(folder)
    settings = {"image_mean": list(MEAN), "image_std": list(STD)}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return str(folder)


def standardised(clips: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (MEAN, STD))
    return (clips - mean) / std


def expected(kind: str, model: Any, clips: Tensor) -> Tensor:
    """Return what the library makes of a clip of the checkpoint's own size."""
    pixels = standardised(clips)
    if kind == "vjepa2":
        return model(pixels.transpose(1, 2), skip_predictor=True).last_hidden_state
    if kind == "videoprism":
        return model(pixels.transpose(1, 2)).last_hidden_state
    frames = pixels.transpose(1, 2).flatten(0, 1)
    if kind == "siglip2":
        cut = frames.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 4, 5, 1).flatten(3)
        tokens = model.vision_model(
            cut.flatten(1, 2),
            pixel_attention_mask=torch.ones(len(cut), 4),
            spatial_shapes=torch.tensor([[2, 2]] * len(cut)),
        ).last_hidden_state
    else:
        tower = getattr(model, "vision_model", getattr(model, "vit", model))
        tokens = tower(frames).last_hidden_state
    return tokens[:, -4:].reshape(len(clips), -1, 16)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_tokens_are_those_of_the_library(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = KINDS[kind]().eval()
    source = written(model, tmp_path)
    width = 24 if kind == "vjepa2" else 16
    ours = TransformersVision(width=width, frames=4, size=16, channels=3, pretrained=source)
    clips = torch.rand(2, 3, 4, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(ours(clips), expected(kind, model, clips))
    assert ours.arrival is not None
    assert ours.arrival.interpolated == {}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_other_sizes_are_read_and_what_was_interpolated_is_said(kind: str, tmp_path: Path) -> None:
    source = written(KINDS[kind](), tmp_path)
    ours = TransformersVision(width=20, frames=2, size=24, channels=3, pretrained=source)
    tokens = ours(torch.rand(1, 3, 2, 24, 24))
    assert tokens.shape == (1, ours.grid[0] * ours.grid[1] * ours.grid[2], 20)
    assert ours.grid[1:] == (3, 3)
    assert ours.arrival is not None
    assert "3x3 tokens" in ours.arrival.interpolated["positions"]
    tokens.sum().backward()
    trained = {n for n, weight in ours.named_parameters() if weight.requires_grad}
    assert trained == {n for n, weight in ours.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_run_builds_it_again_without_its_folder(kind: str, tmp_path: Path) -> None:
    first = TransformersVision(
        width=20, frames=4, size=16, channels=1, pretrained=written(KINDS[kind](), tmp_path)
    )
    kept = json.loads(json.dumps(first.kept))
    again = TransformersVision(
        width=20, frames=4, size=16, channels=1, pretrained="/gone", kept=kept
    )
    again.load_state_dict(first.state_dict())
    clips = torch.rand(1, 1, 4, 16, 16)
    with torch.no_grad():
        assert torch.equal(again(clips), first(clips))


def test_both_towers_of_clip_come_from_one_folder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = _clip().eval()
    source = written(model, tmp_path)
    image = TransformersVision(
        width=8, frames=1, size=16, channels=3, pretrained=source, output="embedding"
    )
    text = HuggingFaceText(
        width=8, vocab=50, max_tokens=12, name=source, pooling="last", output="embedding"
    )
    clips = torch.rand(2, 3, 1, 16, 16)
    token_ids = torch.tensor([[0, 7, 9, 49], [0, 3, 49, 1]])
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    with torch.no_grad():
        theirs = model(
            input_ids=token_ids,
            attention_mask=mask.long(),
            pixel_values=standardised(clips)[:, :, 0],
        )
        seen = image(clips)[:, 0]
        read = text.pool(text(token_ids, mask), mask)
        for ours, own in ((seen, theirs.image_embeds), (read, theirs.text_embeds)):
            torch.testing.assert_close(torch.nn.functional.normalize(ours), own)


def test_pooled_is_what_the_model_itself_pools(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = _siglip().eval()
    ours = TransformersVision(
        width=16,
        frames=1,
        size=16,
        channels=3,
        pretrained=written(model, tmp_path),
        output="pooled",
    )
    clips = torch.rand(2, 3, 1, 16, 16)
    with torch.no_grad():
        pooled = model.vision_model(standardised(clips)[:, :, 0]).pooler_output
        torch.testing.assert_close(ours(clips)[:, 0], pooled)


def test_a_head_that_should_have_arrived_is_an_error(tmp_path: Path) -> None:
    source = written(_vit(), tmp_path)
    options: dict[str, Any] = {"width": 16, "frames": 1, "size": 16, "channels": 3}
    with pytest.raises(UserError, match=r"lacks pooler\.dense"):
        TransformersVision(**options, pretrained=source, output="pooled")
    with pytest.raises(UserError, match=r"lacks pooler|no visual_projection"):
        TransformersVision(**options, pretrained=source, output="embedding")


def test_pixels_are_the_configs_or_else_the_checkpoints(tmp_path: Path) -> None:
    source = written(_vit(), tmp_path)
    options: dict[str, Any] = {"width": 16, "frames": 1, "size": 16, "channels": 3}
    ours = TransformersVision(**options, pretrained=source)
    assert ours.pixels is not None
    assert (ours.pixels.mean, ours.pixels.std) == (MEAN, STD)
    other = TransformersVision(
        **options, pretrained=source, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )
    assert other.pixels is not None
    assert "but the checkpoint says [0.1, 0.5, 0.7]" in other.pixels.line()
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="mean and std"):
        TransformersVision(**options, pretrained=source)


def test_levels_are_those_of_the_processor_whatever_it_multiplies_by(tmp_path: Path) -> None:
    written(_vit(), tmp_path)
    settings = {"rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3, "image_std": [0.5] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    ours = TransformersVision(width=16, frames=1, size=16, channels=3, pretrained=str(tmp_path))
    assert ours.pixels is not None
    assert ours.pixels.mean == pytest.approx((0.5, 0.5, 0.5))
    assert ours.pixels.std == pytest.approx((0.25, 0.25, 0.25))
