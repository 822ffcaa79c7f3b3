"""Everything that a latent captioner says comes from the latent, and from all of it."""

import pytest
import torch
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.models.caption_decoder import TransformerCaptionDecoder
from cinelex.models.image_decoder import ConvImageDecoder
from cinelex.models.latent_captioner import LatentCaptioner, LatentOutputs
from cinelex.models.latent_heads import PositionLatent
from cinelex.models.temperature import Temperature
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.video_vit import VideoViT

LATENT, WIDTH, VOCAB, SIZE = 24, 16, 20, 16


@pytest.fixture
def model() -> LatentCaptioner:
    torch.manual_seed(0)
    encoder = VideoViT(
        width=WIDTH, frames=2, size=SIZE, channels=1, depth=1, heads=2, tubelet=(1, 8, 8)
    )
    return LatentCaptioner(
        image_encoder=encoder,
        latent_head=PositionLatent(width=WIDTH, grid=encoder.grid, latent=LATENT, squeeze=4),
        caption_decoder=TransformerCaptionDecoder(
            width=WIDTH, memory_width=WIDTH, vocab=VOCAB, max_tokens=8, depth=1, heads=2
        ),
        image_decoder=ConvImageDecoder(
            latent=LATENT, frames=2, size=SIZE, channels=1, width=8, coarse=4
        ),
        text_encoder=TextTransformer(width=WIDTH, vocab=VOCAB, max_tokens=8, depth=1, heads=2),
        dim=12,
        temperature=Temperature(start=0.1, learned=True),
        memory_tokens=3,
        memory_width=WIDTH,
    )


@pytest.fixture
def clips() -> Tensor:
    return torch.randn(3, 1, 2, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


WORDS = torch.tensor([[1, 5, 6, 7, 2], [1, 8, 9, 2, 0]])
OWNER = torch.tensor([0, 0, 1])


def run(model: LatentCaptioner, clips: Tensor) -> LatentOutputs:
    out: LatentOutputs = model(clips, OWNER, WORDS, WORDS != 0)
    return out


def test_shapes_and_lengths(model: LatentCaptioner, clips: Tensor) -> None:
    out = run(model, clips)
    assert out.latent.shape == (3, LATENT)
    assert out.reconstruction.shape == clips.shape
    assert out.caption_logits is not None
    assert out.caption_logits.shape == (2, 5, VOCAB)
    torch.testing.assert_close(out.study.norm(dim=1), torch.ones(2))


def test_every_position_of_the_caption_sees_the_latent(
    model: LatentCaptioner, clips: Tensor
) -> None:
    latent = torch.randn(2, LATENT, requires_grad=True)
    read = model.read_latent(latent)
    logits = model.caption_decoder(WORDS, read.memory, read.attention_mask)
    for place in range(WORDS.shape[1]):
        (slope,) = torch.autograd.grad(logits[0, place].square().sum(), latent, retain_graph=True)
        assert (slope[0] != 0).all(), place
        assert (slope[1] == 0).all(), place


def test_every_term_reaches_the_encoder(model: LatentCaptioner, clips: Tensor) -> None:
    for name in ("study", "caption_logits", "reconstruction"):
        model.zero_grad()
        getattr(run(model, clips), name).square().cumsum(-1).sum().backward()
        slopes = [part.grad for part in model.image_encoder.parameters()]
        assert any(slope is not None and bool(slope.abs().max() > 0) for slope in slopes), name


def test_a_study_of_two_pictures_is_the_mean_of_their_latents(
    model: LatentCaptioner, clips: Tensor
) -> None:
    both = model.encode_study(clips, OWNER, studies=2)
    latent = model.encode_clips(clips)
    alone = model.read_latent(torch.stack([latent[:2].mean(0), latent[2]]))
    torch.testing.assert_close(both.memory, alone.memory)
    torch.testing.assert_close(both.study, alone.study)


def test_where_the_encoder_says_nothing_the_latent_is_zero_and_no_bias(
    model: LatentCaptioner,
) -> None:
    tokens = torch.zeros(2, 8, WIDTH)
    torch.testing.assert_close(model.latent_head(tokens), torch.zeros(2, LATENT))


def test_the_head_knows_where_something_is(model: LatentCaptioner) -> None:
    tokens = torch.randn(1, 8, WIDTH, generator=torch.Generator().manual_seed(2))
    moved = tokens.flip(1)
    assert not torch.allclose(model.latent_head(tokens), model.latent_head(moved))


@pytest.mark.parametrize(("size", "coarse"), [(24, 16), (16, 16), (48, 5)])
def test_a_size_that_doubling_does_not_reach_is_refused(size: int, coarse: int) -> None:
    with pytest.raises(UserError, match=f"{size} pixels is not reached by doubling {coarse}"):
        ConvImageDecoder(latent=4, frames=1, size=size, channels=1, coarse=coarse)
