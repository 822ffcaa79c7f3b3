"""OpenCLIP's towers here give what they give there, and say what they cannot do."""

from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from cinelex.core.errors import UserError
from cinelex.data.text.open_clip import OpenClipTokenizer
from cinelex.models.open_clip_loading import load_open_clip
from cinelex.models.open_clip_towers import (
    OpenClipImage,
    OpenClipText,
)

TINY = Path(__file__).parent / "tiny_open_clip" / "image"
TEXT: dict[str, Any] = {"width": 24, "vocab": 11, "max_tokens": 8}
IMAGE: dict[str, Any] = {"width": 24, "frames": 1, "size": 32, "channels": 3}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the tiny model's config and weights, as from the hub."""
    folder: Path = tmp_path_factory.mktemp("open_clip")
    (folder / "open_clip_config.json").write_text((TINY / "open_clip_config.json").read_text())
    torch.manual_seed(3)
    plain = open_clip.create_model(f"local-dir:{TINY}", load_weights=False)
    weights = {name: value.contiguous() for name, value in plain.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def test_towers_from_a_folder_embed_as_open_clip_does(saved: Path) -> None:
    whole: Any = open_clip.create_model(f"local-dir:{saved}").eval()
    image = OpenClipImage(**IMAGE, name=str(saved), pretrained=True).eval()
    text = OpenClipText(**TEXT, name=str(saved), pretrained=True).eval()
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(whole.visual.image_mean), torch.tensor(whole.visual.image_std))
    token_ids = torch.tensor([[1, 4, 6, 10, 0, 0, 0, 0], [1, 5, 7, 3, 2, 9, 8, 10]])
    with torch.no_grad():
        there = whole.encode_image((pixels - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1))
        torch.testing.assert_close(image(pixels[:, :, None])[:, 0], there)
        for length in (8, 4):
            some, attention_mask = token_ids[:1, :length], token_ids[:1, :length] != 0
            found = text.pool(text(some, attention_mask), attention_mask)
            torch.testing.assert_close(found, whole.encode_text(token_ids[:1]))
        both = text.pool(text(token_ids, token_ids != 0), token_ids != 0)
        torch.testing.assert_close(both, whole.encode_text(token_ids))


def test_a_model_or_weights_that_are_not_there_are_named() -> None:
    with pytest.raises(UserError, match="no model 'ViT-Z'"):
        load_open_clip("ViT-Z", False)
    with pytest.raises(UserError, match="no weights at /nowhere/w.safetensors"):
        load_open_clip("ViT-B-32", "/nowhere/w.safetensors")
    with pytest.raises(UserError, match="a tag or the path"):
        load_open_clip("ViT-B-32", True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"frames": 2}, "data.frames=1"),
        ({"size": 64}, "data.size=32"),
        ({"width": 32}, "model.width=24"),
    ],
)
def test_images_of_another_kind_are_refused_with_the_remedy(
    change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        OpenClipImage(**{**IMAGE, **change}, name=str(TINY))


def test_longer_captions_and_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="tokenizer.max_tokens=8"):
        OpenClipText(**{**TEXT, "max_tokens": 9}, name=str(TINY))
    with pytest.raises(ValueError, match="tokenizer.kind=open_clip"):
        OpenClipText(**{**TEXT, "vocab": 12}, name=str(TINY))


def test_the_tokenizer_equals_that_of_open_clip_and_comes_back() -> None:
    own, theirs = OpenClipTokenizer(max_tokens=77), open_clip.get_tokenizer("ViT-B-32")
    for text in ("A small red circle, left of a box!", "two dogs", "", "naïve café 12"):
        row = theirs([text])[0].tolist()
        assert own.encode(text) == row[: len(own.encode(text))]
        assert own.encode(text)[-1] == own.eos_id
    assert own.decode(own.encode("Two red dogs")) == "two red dogs"
    assert len(OpenClipTokenizer(max_tokens=5).encode("one two three four five six")) == 5
    with pytest.raises(UserError, match="77"):
        OpenClipTokenizer(max_tokens=78)
