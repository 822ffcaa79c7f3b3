"""What the options of the plain video transformer promise."""

import torch
from torch import nn

from cinelex.models.video_vit import VideoViT


def test_subtraction_says_what_stands_still_once() -> None:
    torch.manual_seed(0)
    vit = VideoViT(
        width=12, frames=4, size=8, channels=1, depth=0, tubelet=(1, 8, 8),
        subtract_first=True, normalize_tokens=False, positions="learned",
    )  # fmt: skip
    vit.normalize.expect(mean=0.45, std=0.225)
    clips = torch.randn(2, 1, 1, 8, 8).expand(-1, -1, 4, -1, -1).clone()
    clips[1, :, 2] += 1.0
    tokens = vit(clips) - vit.positions()
    still = vit.stem(torch.zeros(64))
    torch.testing.assert_close(tokens[0, 1:], still.expand(3, -1))
    torch.testing.assert_close(tokens[1, 2], vit.stem(torch.ones(64)))
    assert not torch.allclose(tokens[0, 0], still)


def test_tokens_that_are_not_normalized_keep_their_size() -> None:
    torch.manual_seed(0)
    shape = {"width": 12, "frames": 2, "size": 8, "channels": 1, "depth": 0, "tubelet": (2, 4, 4)}
    clips = torch.randn(1, 1, 2, 8, 8)
    for normalize in (True, False):
        vit = VideoViT(**shape, positions="learned", normalize_tokens=normalize)  # type: ignore[arg-type]
        vit.normalize.expect(mean=0.45, std=0.225)
        assert isinstance(vit.stem, nn.Linear)
        torch.nn.init.zeros_(vit.stem.bias)
        for axis in ("time", "row", "column"):
            torch.nn.init.zeros_(vit.positions.get_axis(axis))
        faint, strong = (vit(clips * scale).norm(dim=-1) for scale in (1.0, 3.0))
        torch.testing.assert_close(
            strong / faint, torch.full((1, 4), 1.0 if normalize else 3.0), rtol=1e-3, atol=1e-3
        )


def pyramid() -> VideoViT:
    torch.manual_seed(0)
    return VideoViT(
        width=16,
        frames=4,
        size=32,
        channels=1,
        depth=0,
        tubelet=(2, 16, 16),
        stem="pyramid",
        subtract_first=True,
        normalize_tokens=False,
    )


def test_the_pyramid_sees_across_tubelets_and_nothing_of_hidden_ones() -> None:
    encoder, clips = pyramid(), torch.randn(1, 1, 4, 32, 32)
    changed = clips.clone()
    changed[..., :16, 15] += 1  # the last column of the top left tubelet
    whole, other = encoder(clips), encoder(changed)
    assert whole.shape == (1, 8, 16)
    assert not torch.allclose(whole[:, 1], other[:, 1])
    keep = torch.tensor([[1, 2, 5, 7]])  # neither of the two at the top left
    torch.testing.assert_close(encoder(clips, keep), encoder(changed, keep), rtol=0, atol=0)
    assert encoder(clips, keep).shape == (1, 4, 16)


def test_the_pyramid_keeps_tokens_at_their_tubelets() -> None:
    encoder, clips = pyramid(), torch.zeros(1, 1, 4, 32, 32)
    blank = encoder(clips)
    clips[..., 2:, 24:, 24:] = 3.0  # inside the last tubelet alone, far from its edges
    moved = (encoder(clips) - blank).abs().amax(dim=2)[0]
    assert int(moved.argmax()) == 7
