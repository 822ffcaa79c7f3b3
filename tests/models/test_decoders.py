"""Decoders: captions that look at the study, and hidden tubelets that know their place."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinelex.models import CAPTION_DECODERS, MASKED_DECODERS
from cinelex.models.contracts import CaptionDecoder, MaskedDecoder

BOS, EOS, PAD = 1, 2, 0
PRESENT = torch.arange(5) < torch.tensor([[5], [2], [4], [3]])


@pytest.fixture(params=sorted(CAPTION_DECODERS))
def captioner(request: pytest.FixtureRequest) -> CaptionDecoder:
    torch.manual_seed(0)
    decoder = CAPTION_DECODERS[request.param](
        width=16, memory_width=12, vocab=11, max_tokens=9, depth=2, heads=2
    )
    for parameter in decoder.parameters():
        # Far from their first values, so that captions differ and end at different words.
        torch.nn.init.normal_(parameter, std=0.6)
    return decoder


@pytest.fixture
def memory() -> Tensor:
    return torch.randn(4, 5, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def token_ids() -> Tensor:
    return torch.randint(3, 11, (4, 7), generator=torch.Generator().manual_seed(2))


def slow_greedy(
    decoder: CaptionDecoder, memory: Tensor, attention_mask: Tensor, *, eos: int
) -> Tensor:
    """Write without a cache: the whole prefix anew for every word."""
    token_ids = torch.full((len(memory), 1), BOS)
    ended = torch.zeros(len(memory), dtype=torch.bool)
    while token_ids.shape[1] < 9 and not ended.all():
        following = (
            decoder(token_ids, memory, attention_mask)[:, -1].argmax(dim=-1).masked_fill(ended, PAD)
        )
        token_ids = torch.cat([token_ids, following[:, None]], dim=1)
        ended |= following == eos
    return token_ids


def test_cached_generation_equals_the_uncached_argmax(
    captioner: CaptionDecoder, memory: Tensor
) -> None:
    ended_early = 0
    for eos in range(2, 11):
        written = captioner.generate(
            memory, PRESENT, bos_id=BOS, eos_id=eos, pad_id=PAD, max_tokens=9
        )
        assert torch.equal(written, slow_greedy(captioner, memory, PRESENT, eos=eos))
        ended_early += int((written[:, 1:-1] == eos).any(dim=1).sum())
    assert ended_early > 0


def test_generation_stops_when_every_report_has_ended(
    captioner: CaptionDecoder, memory: Tensor
) -> None:
    last = [value for name, value in captioner.named_parameters() if name == "to_vocab.bias"]
    with torch.no_grad():
        last[0][EOS] = 1e4
    written = captioner.generate(memory, PRESENT, bos_id=BOS, eos_id=EOS, pad_id=PAD, max_tokens=9)
    assert written.tolist() == [[BOS, EOS]] * 4


def test_more_words_than_positions_are_refused(captioner: CaptionDecoder, memory: Tensor) -> None:
    with pytest.raises(ValueError, match="asked for 10 tokens, made for 9"):
        captioner.generate(memory, PRESENT, bos_id=BOS, eos_id=EOS, pad_id=PAD, max_tokens=10)


def test_a_word_does_not_see_the_words_after_it(
    captioner: CaptionDecoder, memory: Tensor, token_ids: Tensor
) -> None:
    other = token_ids.clone()
    other[:, 4:] = 3
    first, second = captioner(token_ids, memory, PRESENT), captioner(other, memory, PRESENT)
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert (first[:, 4:] - second[:, 4:]).abs().max() > 1e-3


def test_every_position_sees_every_token_that_is_present_and_no_other(
    captioner: CaptionDecoder, memory: Tensor, token_ids: Tensor
) -> None:
    straight = captioner(token_ids, memory, PRESENT)
    for token in range(5):
        loud = memory.clone()
        loud[:, token] += torch.randn(12)
        change = (captioner(token_ids, loud, PRESENT) - straight).abs().amax(dim=-1)
        assert change[PRESENT[:, token]].min() > 1e-6
        assert not change[~PRESENT[:, token]].any()


def test_the_order_of_the_tokens_does_not_matter(
    captioner: CaptionDecoder, memory: Tensor, token_ids: Tensor
) -> None:
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(
        captioner(token_ids, memory, PRESENT),
        captioner(token_ids, memory[:, order], PRESENT[:, order]),
        atol=1e-4,
        rtol=1e-4,
    )


def test_a_captioner_trains_everywhere_and_survives_a_file(
    captioner: CaptionDecoder, memory: Tensor, token_ids: Tensor, tmp_path: Path
) -> None:
    logits = captioner(token_ids, memory, PRESENT)
    assert logits.shape == (4, 7, 11)
    (logits * torch.randn_like(logits)).sum().backward()
    assert all(v.grad is not None and v.grad.any() for v in captioner.parameters())
    save_file(captioner.state_dict(), tmp_path / "state.safetensors")
    other = type(captioner)(width=16, memory_width=12, vocab=11, max_tokens=9, depth=2, heads=2)
    other.load_state_dict(load_file(tmp_path / "state.safetensors"))
    assert torch.equal(logits, other(token_ids, memory, PRESENT))


KEEP, HIDE = torch.tensor([[0, 3, 4, 7]] * 3), torch.tensor([[1, 2, 5, 6]] * 3)


@pytest.fixture(params=["sincos", "learned"])
def filler(request: pytest.FixtureRequest) -> MaskedDecoder:
    torch.manual_seed(0)
    return MASKED_DECODERS["transformer"](
        memory_width=12,
        output=6,
        grid=(2, 2, 2),
        width=24,
        depth=1,
        heads=2,
        positions=request.param,
    )


def test_two_hidden_places_are_predicted_differently(filler: MaskedDecoder) -> None:
    guess = filler(torch.randn(3, 4, 12), KEEP, HIDE)
    assert guess.shape == (3, 4, 6)
    for one in range(4):
        for other in range(one):
            assert (guess[:, one] - guess[:, other]).abs().max() > 1e-5


def test_a_hidden_tubelet_is_predicted_from_where_it_is_not_from_when_it_is_asked(
    filler: MaskedDecoder,
) -> None:
    visible, order = torch.randn(3, 4, 12), torch.tensor([2, 0, 3, 1])
    straight = filler(visible, KEEP, HIDE)
    torch.testing.assert_close(straight[:, order], filler(visible, KEEP, HIDE[:, order]))
    torch.testing.assert_close(straight, filler(visible[:, order], KEEP[:, order], HIDE))


def test_a_filler_trains_everywhere_and_survives_a_file(
    filler: MaskedDecoder, tmp_path: Path
) -> None:
    visible = torch.randn(3, 4, 12)
    guess = filler(visible, KEEP, HIDE)
    (guess * torch.randn_like(guess)).sum().backward()
    assert all(v.grad is not None and v.grad.any() for v in filler.parameters())
    save_file(filler.state_dict(), tmp_path / "state.safetensors")
    for parameter in filler.parameters():
        torch.nn.init.zeros_(parameter)
    filler.load_state_dict(load_file(tmp_path / "state.safetensors"))
    assert torch.equal(guess, filler(visible, KEEP, HIDE))
